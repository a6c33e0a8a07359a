"""Recordings in which state misleads a packet: caches, tables, addresses in two places, subnets, filtered discovery."""

from collections.abc import Callable
from ipaddress import ip_interface, ip_network

from msgspec.structs import replace
from topologies import (
    change_link,
    change_stack,
    link_named,
    planned,
    point_named,
    read,
    recorded,
    seen,
    sent,
)

from inspector.model.path import Direction
from inspector.model.question import Heading, Plan
from inspector.model.recording import Aftermath, Observation, Recording
from inspector.model.routing import PolicyRule, RouteAnswer, RouteQuery, RoutingRecord
from inspector.model.rules import (
    Backend,
    Chain,
    ChainKey,
    ChainRule,
    FirewallRecord,
    Hook,
    RuleStep,
    StepKind,
    Traversal,
)
from inspector.model.topology import HOST, FdbEntry, LinkKey, Neighbour, Route, SandboxId, Topology
from inspector.wire import scapy_door
from inspector.wire.craft import payload

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP  # noqa: E402
from scapy.layers.inet6 import ICMPv6ND_NA, ICMPv6ND_NS, IPv6  # noqa: E402
from scapy.layers.l2 import ARP, Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

WORLD, SIX = read("two-networks.toml"), read("dual-stack.toml")
TOKEN = bytes(range(0xA0, 0xB0))
NOBODY = "02:00:00:00:00:99"
OTHERHOST = 3


def mac(world: Topology, name: str) -> str:
    """Return the MAC of the link written `web/eth0`."""
    return link_named(world, name).mac


def addressed(source: str, destination: str, to: str) -> bytes:
    """Return a probe's frame that is sent to this MAC."""
    probe = IP(src=source, dst=destination) / ICMP(type=8, id=7, seq=1) / Raw(payload(TOKEN, 1, 56))
    return bytes(Ether(src=mac(WORLD, "web/eth0"), dst=to) / probe)


def sightings(plan: Plan, frame: bytes, names: dict[str, Heading]) -> tuple[Observation, ...]:
    """Return the frame, seen at these points a microsecond apart; at the last one it is another's."""
    last = list(names)[-1]
    return tuple(
        replace(
            seen(point_named(plan, name), frame, at=1_000 * number, heading=heading),
            packet_type=4 if heading is Heading.OUT else OTHERHOST if name == last else 0,
        )
        for number, (name, heading) in enumerate(names.items())
    )


FLOODED = {
    "web/eth0": Heading.OUT,
    "host/veth-web": Heading.IN,
    "host/docker0": Heading.IN,
    "host/veth-db": Heading.OUT,
    "db/eth0": Heading.IN,
}


def stale_cache(world: Topology = WORLD, to: str = NOBODY, address: str = "172.17.0.3") -> Recording:
    """The source's cache has a MAC for the destination that is nobody's; the bridge floods."""
    plan = planned(world, "web", "db")
    entry = Neighbour(link_named(world, "web/eth0").key, address, to, "permanent")
    frames = sightings(plan, addressed("172.17.0.2", "172.17.0.3", to), FLOODED)
    return recorded(
        world,
        plan,
        probes=(sent(),),
        request=0,
        reply=0,
        extra=frames,
        aftermath=Aftermath(neighbours=(entry,)),
    )


def wrong_port(*, learned: bool = False) -> Recording:
    """The bridge's table has the destination behind another port."""
    plan, right = planned(WORLD, "web", "db"), mac(WORLD, "db/eth0")
    bridge, port = link_named(WORLD, "host/docker0").key, link_named(WORLD, "host/veth-both").key
    frames = sightings(plan, addressed("172.17.0.2", "172.17.0.3", right), dict(list(FLOODED.items())[:3]))
    table = (FdbEntry(bridge, port, right, learned),)
    return recorded(WORLD, plan, probes=(sent(),), request=0, reply=0, extra=frames, aftermath=Aftermath(fdb=table))


def arp_between(plan: Plan, *answers: str, target: str = "172.17.0.3") -> tuple[Observation, ...]:
    """Return one ARP question of web's and these MACs' answers to it, seen at web's interface."""
    mine = mac(WORLD, "web/eth0")
    asked = Ether(src=mine, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mine, psrc="172.17.0.2", pdst=target)
    told = [Ether(src=each, dst=mine) / ARP(op=2, hwsrc=each, psrc=target, pdst="172.17.0.2") for each in answers]
    near = point_named(plan, "web/eth0")
    return (
        seen(near, bytes(asked), heading=Heading.OUT),
        *(seen(near, bytes(each), at=1_000 * n) for n, each in enumerate(told, start=1)),
    )


def two_answers(*answers: str) -> Recording:
    """Two stations answer for the destination's address."""
    plan = planned(WORLD, "web", "db")
    macs = answers or (mac(WORLD, "db/eth0"), mac(WORLD, "both/eth0"))
    return recorded(WORLD, plan, probes=(sent(),), reply=0, extra=arp_between(plan, *macs))


def one_mac() -> Recording:
    """Another container has the destination's MAC."""
    world = change_link(WORLD, "both/eth0", mac=mac(WORLD, "db/eth0"))
    return recorded(world, planned(world, "web", "db"), probes=(sent(),), request=3, reply=0)


def overlap(prefix: str = "172.17.5.0/24", target: str = "172.17.5.9", link: str = "host/eth0") -> Recording:
    """The default network covers an address that the host has another route to."""
    host = WORLD.sandbox(HOST)
    assert host
    route = Route(ip_network(prefix), None, link_named(WORLD, link).key.ifindex)
    world = change_stack(WORLD, HOST, routes=(*host.routes, route))
    plan = planned(world, "web", target)
    asked = arp_between(plan, target=target)
    return recorded(world, plan, probes=(sent(),), request=0, reply=0, extra=asked)


def nd(
    plan: Plan, target: str, *, asked_at: dict[str, Heading], told_at: dict[str, Heading]
) -> tuple[Observation, ...]:
    """Return a neighbour solicitation seen at these points, and an advertisement at those."""
    source = plan.source.address or ""
    asks = bytes(Ether(src=NOBODY) / IPv6(src=source, dst="ff02::1:ff00:3") / ICMPv6ND_NS(tgt=target))
    tells = bytes(Ether(src=NOBODY) / IPv6(src=target, dst=source) / ICMPv6ND_NA(tgt=target))
    return tuple(
        seen(point_named(plan, name), frame, at=1_000 * n, heading=heading)
        for frame, places in ((asks, asked_at), (tells, told_at))
        for n, (name, heading) in enumerate(places.items())
    )


ASKED = {"left/eth0": Heading.OUT, "host/veth-left": Heading.IN, "right/eth0": Heading.IN}


def filtered(asked_at: dict[str, Heading] | None = None, told_at: dict[str, Heading] | None = None) -> Recording:
    """The destination has the address, and discovery does not get through."""
    plan = planned(SIX, "left", "right", family=6)
    asked = asked_at or ASKED
    talk = nd(plan, plan.destination.address or "", asked_at=asked, told_at=told_at or {})
    return Recording(SIX, plan, TOKEN, probes=(sent(),), observations=talk)


def discovery_dropped(
    where: str,
    chain: str,
    *,
    asks: bool = True,
    verdict: str = "drop",
    text: str = "-p ipv6-icmp -j DROP",
    hook: str = "",
    recording: Recording | None = None,
) -> Recording:
    """A rule of a chain of this stack's drops the question about right's address, or the answer."""
    plain = recording or filtered()
    plan = plain.plan
    places = {"asked_at": {"left/eth0": Heading.OUT}, "told_at": {"left/eth0": Heading.IN}}
    frames = [each.frame for each in nd(plan, plan.destination.address or "", **places)]
    key = ChainKey(SandboxId(where), Backend.NFT, "ip6", "filter", chain)
    rule = ChainRule(5, 2, text, text.rsplit(maxsplit=1)[-1])
    steps = (RuleStep(chain, StepKind.RULE, verdict, 5),)
    # The kernel tells 20 bytes of what follows the IP header.
    walk = Traversal(SandboxId(where), "ip6", "filter", steps, frames[0 if asks else 1][14:74])
    met = Chain(key, 3, Hook(hook or chain.lower(), 0, "accept"), (rule,))
    firewall = plain.firewall
    told = FirewallRecord((*firewall.traversals, walk), (*(each for each in firewall.chains if each != met), met))
    return replace(plain, firewall=told)


def consulted(*rules: str) -> RoutingRecord:
    """Return what `both` said about its answer to web."""
    both = SandboxId("both")
    query = RouteQuery(Direction.REPLY, both, "172.17.0.2", "192.168.0.3")
    answer = RouteAnswer(query, "unicast", LinkKey(both, 2), "eth0", source="172.17.0.4", table=254)
    return RoutingRecord((answer,), tuple(PolicyRule(both, each) for each in rules or ("0: from all lookup local",)))


def lost_address() -> Recording:
    """The destination's stack does not have the address that the engine gave it."""
    stack = WORLD.sandbox(SandboxId("db"))
    assert stack
    world = change_link(WORLD, "db/eth0", addresses=(ip_interface("172.17.0.77/16"),))
    plan = planned(world, "web", "172.17.0.3")
    return recorded(world, plan, probes=(sent(),), request=0, reply=0, extra=arp_between(plan))


CASES: dict[str, tuple[Callable[[], Recording], str]] = {
    "stale-neighbour": (
        stale_cache,
        f"web sends to {NOBODY} for 172.17.0.3: that MAC is nobody's on host/docker0",
    ),
    "duplicate-address": (two_answers, "2 stations say that 172.17.0.3 is theirs: both/eth0, db/eth0"),
    "subnet-overlap": (
        overlap,
        "172.17.5.9 is looked for on docker0: 172.17.0.0/16 of bridge covers it, as does the host's 172.17.5.0/24",
    ),
    "ipv6-neighbour-filtered": (filtered, "right has "),
}
