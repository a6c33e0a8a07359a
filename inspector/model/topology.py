"""The world at one moment: sandboxes and their links (the kernel's word), networks and containers (the engine's)."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from typing import NewType

from msgspec import Struct

from inspector.model.tunnel import Remote, Tunnel

SandboxId = NewType("SandboxId", str)
"""The label of one network stack: `host`, or the name of the container that owns it."""

HOST = SandboxId("host")

Interface = IPv4Interface | IPv6Interface
Prefix = IPv4Network | IPv6Network


class LinkKind(StrEnum):
    """What a kernel device is, as rtnetlink's IFLA_INFO_KIND names it."""

    BRIDGE = "bridge"
    VETH = "veth"
    MACVLAN = "macvlan"
    IPVLAN = "ipvlan"
    VLAN = "vlan"
    VXLAN = "vxlan"
    LOOPBACK = "loopback"
    ETHERNET = "ethernet"
    OTHER = "other"


SHARING = frozenset({LinkKind.MACVLAN, LinkKind.IPVLAN})
"""Links that share their parent's medium: with each other, and never with the parent's own stack."""
PARENTED = SHARING | {LinkKind.VLAN}
"""Links on top of another link, whose frames pass through it; IFLA_LINK names that one, not a peer."""


class Mode(StrEnum):
    """Whose network stack a container uses."""

    OWN = "own"
    HOST = "host"
    NONE = "none"
    SHARED = "container"


class LinkKey(Struct, frozen=True):
    """Where a link is: an interface index means something only inside its sandbox."""

    sandbox: SandboxId
    ifindex: int


class Link(Struct, frozen=True):
    """One kernel network device."""

    key: LinkKey
    name: str
    kind: LinkKind
    up: bool
    """Administratively up (IFF_UP)."""
    running: bool
    """Able to carry frames (IFF_RUNNING): for a veth, that its peer is up too."""
    mtu: int
    mac: str
    addresses: tuple[Interface, ...] = ()
    peer_ifindex: int | None = None
    """The other end's index in its own sandbox, known even where that sandbox is not."""
    peer: LinkKey | None = None
    bridge: LinkKey | None = None
    port: int | None = None
    """Number among the ports of its bridge (IFLA_BRPORT_NO)."""
    forwarding: bool = True
    """False where the bridge port's state is not BR_STATE_FORWARDING."""
    hairpin: bool = False
    """The bridge port may send a frame back out where it came in (IFLA_BRPORT_MODE)."""
    promiscuity: int = 0
    parent: LinkKey | None = None
    """The link under a macvlan, ipvlan or VLAN link."""
    tunnel: Tunnel | None = None
    """Of a VXLAN link."""
    beneath: SandboxId | None = None
    """The network stack that sends a VXLAN link's datagrams, where it is known."""
    mode: str = ""
    """Of a macvlan (`bridge`, `private`, `vepa`, `passthru`, `source`) or ipvlan (`l2`, `l3`, `l3s`) link."""

    @property
    def sandbox(self) -> SandboxId:
        """The network stack this link lives in."""
        return self.key.sandbox


class Route(Struct, frozen=True):
    """One line of a sandbox's main or local routing table."""

    destination: Prefix
    gateway: str | None
    ifindex: int
    metric: int = 0
    source: str | None = None
    local: bool = False
    """From the local table: the address is this sandbox's own."""


class FdbEntry(Struct, frozen=True):
    """What a bridge believes: behind this port is this MAC."""

    bridge: LinkKey
    port: LinkKey
    mac: str
    learned: bool
    """Learned from a frame, not configured."""


class Neighbour(Struct, frozen=True):
    """A line of a sandbox's neighbour cache (ARP or ND)."""

    link: LinkKey
    address: str
    mac: str | None
    state: str


class Setting(Struct, frozen=True):
    """One kernel setting under /proc/sys, as it was; None where this kernel has no such file."""

    name: str
    value: str | None


def reverse_path_filter(interface: str) -> str:
    """Name the setting that decides whether a packet is taken in by an interface that its answer would not leave by."""
    return f"net.ipv4.conf.{interface.replace('.', '/')}.rp_filter"


class Sandbox(Struct, frozen=True):
    """One network stack, and what it holds."""

    id: SandboxId
    inode: int
    links: tuple[Link, ...]
    routes: tuple[Route, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    fdb: tuple[FdbEntry, ...] = ()
    settings: tuple[Setting, ...] = ()
    remotes: tuple[Remote, ...] = ()
    """What its VXLAN links believe."""


class Subnet(Struct, frozen=True):
    """One address range of a network, and the gateway in it."""

    prefix: Prefix
    gateway: str | None


class Network(Struct, frozen=True):
    """A network of the engine; `bridge` is its kernel device where there is one."""

    id: str
    name: str
    driver: str
    subnets: tuple[Subnet, ...] = ()
    internal: bool = False
    bridge: LinkKey | None = None
    default: bool = False
    """Whether containers join it unasked: its members have no names."""
    parent: LinkKey | None = None
    """The link that a macvlan or ipvlan network shares, found at its members."""
    labels: tuple[str, ...] = ()
    icc: bool = True
    """Whether the engine lets its containers talk to each other."""
    encrypted: bool = False
    """What leaves its tunnel for another node is encrypted (IPsec)."""


class Endpoint(Struct, frozen=True):
    """One container's place on one network, as the engine tells it."""

    network: str
    """The network's name."""
    addresses: tuple[str, ...]
    mac: str | None
    gateways: tuple[str, ...] = ()
    link: LinkKey | None = None
    """The container-side link that carries the address, found in the kernel."""


class Published(Struct, frozen=True):
    """A port of the host that the engine carries to a container's."""

    address: str
    """Of the host; `0.0.0.0` and `::` are all."""
    port: int
    """Of the host."""
    target: int
    """Of the container."""
    protocol: str
    """`tcp`, `udp` or `sctp`."""


class Container(Struct, frozen=True):
    """A container, running or not."""

    id: str
    name: str
    state: str
    """The engine's word: running, paused, exited, created, restarting, dead."""
    mode: Mode
    sandbox: SandboxId | None
    """None where it has no stack we could look into: not running, or not surveyed."""
    shares_with: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
    links: tuple[str, ...] = ()
    """Containers that its legacy links lead to; known of those that were looked into."""
    published: tuple[Published, ...] = ()

    @property
    def running(self) -> bool:
        """Whether it has processes, frozen or not."""
        return self.state in {"running", "paused"}


class EngineIdentity(Struct, frozen=True):
    """Which engine answered."""

    name: str
    version: str
    command: str = "docker"
    """The command line that speaks to it, for what is to be typed."""


class BlindSpot(Struct, frozen=True):
    """A place we wanted to look at and could not, and why."""

    point: str
    why: str


class Topology(Struct, frozen=True, dict=True):
    """Everything surveyed."""

    engine: EngineIdentity
    sandboxes: tuple[Sandbox, ...]
    networks: tuple[Network, ...]
    containers: tuple[Container, ...]
    blind_spots: tuple[BlindSpot, ...] = ()

    def sandbox(self, sandbox: SandboxId) -> Sandbox | None:
        """Find the network stack with this label, if it was surveyed."""
        return self._by_id.get(sandbox)

    def link(self, key: LinkKey | None) -> Link | None:
        """Find the link at this place, if there is one."""
        return self._by_key.get((key.sandbox, key.ifindex)) if key else None

    def network(self, name: str) -> Network | None:
        """Find the network with this name."""
        return next((each for each in self.networks if each.name == name), None)

    def container(self, name: str) -> Container | None:
        """Find the container with exactly this name."""
        return self._by_name.get(name)

    def ports(self, bridge: LinkKey) -> tuple[Link, ...]:
        """List the ports of a bridge, by number."""
        return self._ports.get((bridge.sandbox, bridge.ifindex), ())

    def children(self, parent: LinkKey) -> tuple[Link, ...]:
        """List the links on top of a link, in every sandbox that was looked into."""
        return tuple(each for stack in self.sandboxes for each in stack.links if each.parent == parent)

    def network_of(self, bridge: LinkKey | None) -> Network | None:
        """Find the network whose bridge this is."""
        return next((each for each in self.networks if bridge and each.bridge == bridge), None)

    @cached_property
    def _by_id(self) -> Mapping[SandboxId, Sandbox]:
        return {each.id: each for each in reversed(self.sandboxes)}

    @cached_property
    def _by_key(self) -> Mapping[tuple[SandboxId, int], Link]:
        return {(each.key.sandbox, each.key.ifindex): each for stack in self._by_id.values() for each in stack.links}

    @cached_property
    def _by_name(self) -> Mapping[str, Container]:
        return {each.name: each for each in reversed(self.containers)}

    @cached_property
    def _ports(self) -> Mapping[tuple[SandboxId, int], tuple[Link, ...]]:
        found: dict[tuple[SandboxId, int], list[Link]] = {}
        for stack in self._by_id.values():
            for each in stack.links:
                if each.bridge:
                    found.setdefault((each.bridge.sandbox, each.bridge.ifindex), []).append(each)
        return {key: tuple(sorted(ports, key=lambda link: link.port or 0)) for key, ports in found.items()}
