"""Worlds written by hand: a Topology from a few lines of TOML, and recordings on a plan that was made from it.

    [host]          links = { eth0 = ["10.0.0.5/24"] }, gateway, settings
    [networks.NAME] bridge = "docker0", subnets = ["GATEWAY/PREFIX"], internal
                    or driver = "macvlan" (or "ipvlan"), parent = "eth0", mode = "bridge"
    [containers.NAME] networks = { NETWORK = [ADDRESS...] }, state, mode ("own", "host", "none", "container:OTHER"), id

Veth pairs, MACs and routes (local, connected, default by the first network that is not internal) follow from these.
"""

import tomllib
from collections.abc import Iterable
from hashlib import sha256
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from inspector.model.question import Heading, Plan, Question, Step
from inspector.model.recording import Answered, Observation, Probe, Recording, Sent
from inspector.model.topology import (
    HOST,
    Container,
    Endpoint,
    EngineIdentity,
    Interface,
    Link,
    LinkKey,
    LinkKind,
    Mode,
    Network,
    Route,
    Sandbox,
    SandboxId,
    Setting,
    Subnet,
    Topology,
)
from inspector.plan.make import make_plan
from inspector.wire import scapy_door
from inspector.wire.craft import payload

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

FOLDER = Path(__file__).parent.parent / "topologies"
TOKEN = bytes(range(0xA0, 0xB0))
START = 1_700_000_000_000_000_000
FIRST_UPLINK, FIRST_BRIDGE, FIRST_PORT = 2, 10, 100


def read(path_or_text: Path | str) -> Topology:
    """Build a topology from a file (its name in tests/topologies is enough) or from the text itself."""
    if isinstance(path_or_text, str) and path_or_text.endswith(".toml"):
        path_or_text = FOLDER / path_or_text
    text = path_or_text.read_text() if isinstance(path_or_text, Path) else path_or_text
    world: dict[str, Any] = tomllib.loads(text)
    uplinks = list(world.get("host", {}).get("links", {}))
    networks = [_network(number, *each, uplinks) for number, each in enumerate(world.get("networks", {}).items())]
    making = _Making(networks, {name: told.get("mode", "bridge") for name, told in world.get("networks", {}).items()})
    containers = [_container(*each, making) for each in world.get("containers", {}).items()]
    host = _host(world.get("host", {}), world.get("networks", {}), networks, making.ports)
    return Topology(EngineIdentity("Test Engine", "1"), (host, *making.stacks), tuple(networks), tuple(containers))


class _Making(Struct):
    """A world that is being made."""

    networks: list[Network]
    modes: dict[str, str]
    """How the links of each network share their parent."""
    stacks: list[Sandbox] = field(default_factory=list)
    ports: list[Link] = field(default_factory=list)


def change_link(topology: Topology, name: str, /, **changes: Any) -> Topology:
    """Return the world with one link (`host/docker0`) changed."""
    where, _, interface = name.partition("/")
    stack = topology.sandbox(SandboxId(where))
    assert stack
    assert interface in {each.name for each in stack.links}
    links = tuple(replace(each, **changes) if each.name == interface else each for each in stack.links)
    return change_stack(topology, where, links=links)


def change_stack(topology: Topology, where: str, /, **changes: Any) -> Topology:
    """Return the world with one network stack changed."""
    return replace(
        topology, sandboxes=tuple(replace(each, **changes) if each.id == where else each for each in topology.sandboxes)
    )


def change_container(topology: Topology, name: str, /, **changes: Any) -> Topology:
    """Return the world with one container changed."""
    known = tuple(replace(each, **changes) if each.name == name else each for each in topology.containers)
    return replace(topology, containers=known)


def link_named(topology: Topology, name: str) -> Link:
    """Return the link written `host/docker0`."""
    where, _, interface = name.partition("/")
    return next(
        each for stack in topology.sandboxes if stack.id == where for each in stack.links if each.name == interface
    )


def written(steps: Iterable[Step]) -> list[str]:
    """Write steps as `web/eth0 out`, with a mark on those that are routed."""
    return [f"{each.point} {each.heading}{' routed' if each.routed else ''}" for each in steps]


def planned(topology: Topology, source: str, destination: str, **more: Any) -> Plan:
    """Ask a question of the world."""
    return make_plan(topology, Question(source, destination, **more))


def point_named(plan: Plan, name: str) -> int:
    """Return the index of the capture point written `web/eth0`."""
    return [str(each) for each in plan.points].index(name)


def echo(source: str, destination: str, sequence: int = 1, *, reply: bool = False, token: bytes = TOKEN) -> bytes:
    """Return the frame of an ICMP echo that carries the token."""
    message = ICMP(type=0 if reply else 8, id=7, seq=sequence) / Raw(payload(token, sequence, 56))
    return bytes(Ether(src="02:42:00:00:00:01", dst="02:42:00:00:00:02") / IP(src=source, dst=destination) / message)


def refusal(by: str, source: str, destination: str, sequence: int = 1, *, token: bytes = TOKEN) -> bytes:
    """Return the frame of an ICMP error (packet filtered) that quotes such an echo."""
    quoted = echo(source, destination, sequence, token=token)[14:]
    frame = Ether(src="02:42:00:00:00:03", dst="02:42:00:00:00:01")
    return bytes(frame / IP(src=by, dst=source) / ICMP(type=3, code=13) / Raw(quoted))


def arp(sender: str, target: str, *, reply: bool = False, mac: str = "02:42:00:00:00:01") -> bytes:
    """Return the frame of an ARP question or answer."""
    frame = Ether(src=mac, dst="02:42:00:00:00:02" if reply else "ff:ff:ff:ff:ff:ff")
    return bytes(frame / ARP(op=2 if reply else 1, hwsrc=mac, psrc=sender, pdst=target))


def seen(point: int, frame: bytes, *, at: int = 0, heading: Heading = Heading.IN) -> Observation:
    """Return the sighting of a frame, `at` nanoseconds after the start."""
    outgoing = 4 if heading is Heading.OUT else 0
    return Observation(point, START + at, heading, outgoing, frame, len(frame))


def sightings(plan: Plan, steps: Iterable[Step], frame: bytes, *, at: int = 0) -> tuple[Observation, ...]:
    """Return the frame seen at each of the steps, a microsecond apart."""
    return tuple(
        seen(plan.points.index(step.point), frame, at=at + 1_000 * number, heading=step.heading)
        for number, step in enumerate(steps)
    )


def answered(sequence: int = 1, answer: str = "reply") -> Probe:
    """Return a probe that was answered after 50 us."""
    return Answered(sequence, START - 1_000, START + 49_000, answer)


def sent(sequence: int = 1) -> Probe:
    """Return a probe without an answer."""
    return Sent(sequence, START - 1_000)


def recorded(
    topology: Topology,
    plan: Plan,
    *,
    probes: tuple[Probe, ...] = (),
    request: int | None = None,
    reply: int | None = None,
    extra: tuple[Observation, ...] = (),
    **more: Any,
) -> Recording:
    """Return a recording: request 1 seen at the first so many planned steps (None: all), its reply likewise."""
    mine, theirs = plan.source.address or "0.0.0.0", plan.destination.address or "0.0.0.0"
    there = sightings(plan, plan.request[:request], echo(mine, theirs))
    back = sightings(plan, plan.reply[:reply], echo(theirs, mine, reply=True), at=20_000)
    observations = (*there, *back, *extra)
    return Recording(topology, plan, TOKEN, probes=probes, observations=observations, **more)


def delivered(topology: Topology, plan: Plan, **more: Any) -> Recording:
    """Return the recording of one probe that went all the way and came back."""
    return recorded(topology, plan, probes=(answered(),), **more)


def _mac(kind: int, sandbox: str, number: int) -> str:
    return bytes((2, kind, *sha256(sandbox.encode()).digest()[:3], number & 0xFF)).hex(":")


def _link(sandbox: str, ifindex: int, name: str, kind: LinkKind, addresses: Iterable[Any] = (), **more: Any) -> Link:
    known = tuple(ip_interface(each) for each in addresses)
    mac = _mac(ifindex >> 8, sandbox, ifindex)
    if kind is LinkKind.LOOPBACK:
        known, mac = (ip_interface("127.0.0.1/8"),), "00:00:00:00:00:00"
    return Link(
        LinkKey(SandboxId(sandbox), ifindex),
        name,
        kind,
        up=True,
        running=True,
        mtu=1500,
        mac=mac,
        addresses=known,
        **more,
    )


def _network(number: int, name: str, told: dict[str, Any], uplinks: list[str]) -> Network:
    subnets = [ip_interface(each) for each in told["subnets"]]
    return Network(
        id=sha256(name.encode()).hexdigest(),
        name=name,
        driver=told.get("driver", "bridge"),
        subnets=tuple(Subnet(each.network, str(each.ip)) for each in subnets),
        internal=told.get("internal", False),
        bridge=LinkKey(HOST, FIRST_BRIDGE + number) if "bridge" in told else None,
        parent=LinkKey(HOST, FIRST_UPLINK + uplinks.index(told["parent"])) if "parent" in told else None,
    )


def _routes(links: Iterable[Link], gateways: Iterable[str]) -> tuple[Route, ...]:
    links = tuple(links)
    placed = [(link, address) for link in links for address in link.addresses]
    routes = [_own(link, address) for link, address in placed]
    routes += [
        Route(address.network, None, link.key.ifindex, source=str(address.ip))
        for link, address in placed
        if link.kind is not LinkKind.LOOPBACK
    ]
    for gateway in gateways:
        near = next(link for link, address in placed if ip_address(gateway) in address.network)
        everything = "0.0.0.0/0" if ip_address(gateway).version == 4 else "::/0"
        routes.append(Route(ip_network(everything), gateway, near.key.ifindex))
    return tuple(routes)


def _own(link: Link, address: Interface) -> Route:
    prefix = address.network if link.kind is LinkKind.LOOPBACK else ip_network(address.ip)
    return Route(prefix, None, link.key.ifindex, local=True)


def _host(told: dict[str, Any], bridges: dict[str, Any], networks: list[Network], ports: list[Link]) -> Sandbox:
    links = [_link(HOST, 1, "lo", LinkKind.LOOPBACK)]
    for number, (name, addresses) in enumerate(told.get("links", {}).items()):
        links.append(_link(HOST, FIRST_UPLINK + number, name, LinkKind.ETHERNET, addresses))
    for network, known in zip(networks, bridges.values(), strict=True):
        if network.bridge:
            links.append(_link(HOST, network.bridge.ifindex, known["bridge"], LinkKind.BRIDGE, known["subnets"]))
    links += ports
    settings = tuple(Setting(*each) for each in told.get("settings", {}).items())
    gateways = [told["gateway"]] if "gateway" in told else []
    return Sandbox(HOST, 1, tuple(links), routes=_routes(links, gateways), settings=settings)


def _container(name: str, told: dict[str, Any], making: "_Making") -> Container:
    mode, _, other = told.get("mode", "own").partition(":")
    state = told.get("state", "running")
    places = {"own": name, "none": name, "host": HOST, "container": other}
    running = state in {"running", "paused"}
    sandbox = SandboxId(places[mode]) if running else None
    endpoints = _endpoints(name, told.get("networks", {}), making) if sandbox == name else None
    if endpoints is None:
        endpoints = tuple(Endpoint(each, tuple(known), None) for each, known in told.get("networks", {}).items())
    return Container(
        id=told.get("id", sha256(name.encode()).hexdigest()),
        name=name,
        state=state,
        mode=Mode(mode),
        sandbox=sandbox,
        shares_with=other or None,
        endpoints=endpoints,
    )


def _endpoints(name: str, told: dict[str, list[str]], making: "_Making") -> tuple[Endpoint, ...]:
    links, endpoints, gateways = [_link(name, 1, "lo", LinkKind.LOOPBACK)], [], []
    for number, (network_name, addresses) in enumerate(told.items()):
        network = next(each for each in making.networks if each.name == network_name)
        prefixes = {each.prefix.version: each.prefix.prefixlen for each in network.subnets}
        known = [f"{each}/{prefixes[ip_address(each).version]}" for each in addresses]
        if network.parent:
            kind = LinkKind(network.driver)
            near = _link(
                name, 2 + number, f"eth{number}", kind, known, parent=network.parent, mode=making.modes[network_name]
            )
        else:
            near = _paired(name, number, known, network, making.ports)
        links.append(near)
        ways = () if network.internal else tuple(each.gateway for each in network.subnets if each.gateway)
        gateways += [each for each in ways if ip_address(each).version not in {ip_address(g).version for g in gateways}]
        endpoints.append(Endpoint(network_name, tuple(addresses), near.mac, ways, near.key))
    making.stacks.append(
        Sandbox(SandboxId(name), 100 + len(making.stacks), tuple(links), routes=_routes(links, gateways))
    )
    return tuple(endpoints)


def _paired(name: str, number: int, known: list[str], network: Network, ports: list[Link]) -> Link:
    """Hang a container on a bridge by a veth pair; return its own end."""
    near = _link(name, 2 + number, f"eth{number}", LinkKind.VETH, known, peer_ifindex=FIRST_PORT + len(ports))
    port = _link(
        HOST,
        FIRST_PORT + len(ports),
        f"veth-{name}{number or ''}",
        LinkKind.VETH,
        peer_ifindex=2 + number,
        peer=near.key,
        bridge=network.bridge,
        port=1 + sum(each.bridge == network.bridge for each in ports),
    )
    ports.append(port)
    return replace(near, peer=port.key)
