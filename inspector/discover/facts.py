"""What the kernel said about one network stack, before anything is related to anything."""

from msgspec import Struct

from inspector.model.topology import Interface, LinkKind, Prefix, SandboxId, Setting
from inspector.model.tunnel import Remote, Tunnel


class LinkFact(Struct, frozen=True):
    """One device as RTM_NEWLINK describes it."""

    ifindex: int
    name: str
    kind: LinkKind
    up: bool
    running: bool
    mtu: int
    mac: str
    peer_ifindex: int | None
    """IFLA_LINK: the other end of a veth pair, or the parent of a macvlan, ipvlan or VLAN link."""
    peer_nsid: int | None
    """The kernel's number for the namespace of that link; None where it is this one."""
    master: int | None
    port: int | None
    forwarding: bool
    promiscuity: int
    addresses: tuple[Interface, ...] = ()
    mode: str = ""
    """Of a macvlan or ipvlan link."""
    hairpin: bool = False
    tunnel: Tunnel | None = None
    """Of a VXLAN link; its `peer_nsid` is that of the stack that sends its datagrams."""
    reverse_path: int | None = None
    """Its own rp_filter; None where it has no IPv4."""


class RouteFact(Struct, frozen=True):
    """One route as RTM_NEWROUTE describes it."""

    destination: Prefix
    gateway: str | None
    ifindex: int
    metric: int
    source: str | None
    local: bool


class NeighbourFact(Struct, frozen=True):
    """One neighbour or bridge forwarding entry as RTM_NEWNEIGH describes it."""

    ifindex: int
    address: str | None
    mac: str | None
    state: str
    bridge: int | None = None
    learned: bool = False


class StackFact(Struct, frozen=True):
    """One network stack."""

    sandbox: SandboxId
    inode: int
    links: tuple[LinkFact, ...]
    routes: tuple[RouteFact, ...] = ()
    neighbours: tuple[NeighbourFact, ...] = ()
    fdb: tuple[NeighbourFact, ...] = ()
    nsids: tuple[tuple[int, SandboxId], ...] = ()
    """Which sandbox each namespace number of this stack stands for."""
    settings: tuple[Setting, ...] = ()
    remotes: tuple[Remote, ...] = ()
    bystanders: tuple[tuple[int, LinkFact], ...] = ()
    """Far ends in namespaces that were not entered, by the ifindex of the near end."""
