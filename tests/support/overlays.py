"""A node of a swarm, written by hand: an overlay network with two members here and one on another node."""

from collections.abc import Callable
from ipaddress import ip_interface, ip_network

from msgspec.structs import replace
from topologies import (
    START,
    TOKEN,
    arp,
    change_link,
    echo,
    planned,
    point_named,
    recorded,
    seen,
    sent,
    sightings,
)

from inspector.model.question import Heading, Plan
from inspector.model.recording import Answered, Failed, Observation, Recording
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
from inspector.model.topology import (
    HOST,
    Container,
    Endpoint,
    EngineIdentity,
    Link,
    LinkKey,
    LinkKind,
    Mode,
    Neighbour,
    Network,
    Route,
    Sandbox,
    SandboxId,
    Subnet,
    Topology,
)
from inspector.model.tunnel import Remote, Tunnel
from inspector.wire import scapy_door

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, UDP  # noqa: E402
from scapy.layers.inet6 import IPv6  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.layers.vxlan import VXLAN  # noqa: E402
from scapy.packet import Raw  # noqa: E402

OVER = SandboxId("overlay over")
BRIDGE, MOUTH, UPLINK = LinkKey(OVER, 2), LinkKey(OVER, 5), LinkKey(HOST, 2)
OWN, NODE, AWAY = "192.0.2.1", "192.0.2.2", "10.0.9.5"
AWAY_MAC = "02:42:0a:00:09:05"
DEVICE = {"up": True, "running": True}


def _member(name: str, number: int) -> tuple[Container, Sandbox, Link]:
    key, port = LinkKey(SandboxId(name), 14), LinkKey(OVER, 10 + number)
    address, mac = f"10.0.9.{number}", f"02:42:0a:00:09:{number:02x}"
    link = Link(
        key, "eth0", LinkKind.VETH, mtu=1450, mac=mac, addresses=(ip_interface(f"{address}/24"),), peer=port, **DEVICE
    )
    far = Link(
        port,
        f"veth{number}",
        LinkKind.VETH,
        mtu=1450,
        mac=f"02:00:00:00:00:{number:02x}",
        peer=key,
        bridge=BRIDGE,
        port=number,
        **DEVICE,
    )
    routes = (
        Route(ip_network("10.0.9.0/24"), None, 14, source=address),
        Route(ip_network(f"{address}/32"), None, 14, local=True),
    )
    place = Endpoint("over", (address,), mac, link=key)
    container = Container(f"id-{name}", name, "running", Mode.OWN, SandboxId(name), endpoints=(place,))
    return container, Sandbox(key.sandbox, number, (link,), routes), far


def world(**network: bool) -> Topology:
    """Return a node with n1 and n2; 10.0.9.5 is behind another one."""
    members = [_member("n1", 3), _member("n2", 4)]
    bridge = Link(
        BRIDGE,
        "br0",
        LinkKind.BRIDGE,
        mtu=1450,
        mac="02:00:00:00:01:02",
        addresses=(ip_interface("10.0.9.1/24"),),
        **DEVICE,
    )
    mouth = Link(
        MOUTH,
        "vxlan0",
        LinkKind.VXLAN,
        mtu=1450,
        mac="02:00:00:00:01:05",
        bridge=BRIDGE,
        port=1,
        tunnel=Tunnel(4097, 4789),
        beneath=HOST,
        **DEVICE,
    )
    hidden = Sandbox(
        OVER,
        9,
        (bridge, mouth, *(far for _, _, far in members)),
        neighbours=(Neighbour(MOUTH, AWAY, AWAY_MAC, "permanent"),),
        remotes=(Remote(5, AWAY_MAC, NODE),),
    )
    uplink = Link(
        UPLINK,
        "up0",
        LinkKind.ETHERNET,
        mtu=1500,
        mac="02:00:00:00:02:02",
        addresses=(ip_interface(f"{OWN}/24"),),
        **DEVICE,
    )
    host = Sandbox(
        HOST,
        1,
        (uplink,),
        (Route(ip_network("192.0.2.0/24"), None, 2, source=OWN), Route(ip_network(f"{OWN}/32"), None, 2, local=True)),
    )
    over = Network("id", "over", "overlay", (Subnet(ip_network("10.0.9.0/24"), "10.0.9.1"),), bridge=BRIDGE, **network)
    stacks = (host, *(stack for _, stack, _ in members), hidden)
    return Topology(EngineIdentity("Test Engine", "1"), stacks, (over,), tuple(each for each, _, _ in members))


def packed(
    frame: bytes, *, back: bool = False, number: int = 4097, port: int = 4789, identification: int = 77
) -> bytes:
    """Return the frame as VXLAN to the other node, or from it."""
    source, destination = (NODE, OWN) if back else (OWN, NODE)
    outer = Ether(src="02:00:00:00:02:02", dst="02:00:00:00:03:02") / IP(src=source, dst=destination, id=identification)
    return bytes(outer / UDP(sport=40_000, dport=port, chksum=0) / VXLAN(vni=number, flags="Instance") / Raw(frame))


def packed6(frame: bytes) -> bytes:
    """Return the frame as VXLAN between nodes that have IPv6."""
    outer = Ether(src="02:00:00:00:02:02", dst="02:00:00:00:03:02") / IPv6(src="2001:db8::1", dst="2001:db8::2")
    return bytes(outer / UDP(sport=40_000, dport=4789) / VXLAN(vni=4097, flags="Instance") / Raw(frame))


def away(topology: Topology | None = None, destination: str = AWAY, **more: object) -> Plan:
    """Return the plan of a trace to the other node."""
    return planned(topology or world(), "n1", destination, **{"count": 1, **more})


def on_the_way(plan: Plan, *, request: int = 5, reply: int = 0) -> tuple[Observation, ...]:
    """Return request and answer, each seen at its first so many steps; what is at the uplink is packed."""
    mine = plan.source.address or ""

    def frames(steps: tuple[object, ...], frame: bytes, *, back: bool) -> tuple[Observation, ...]:
        found = sightings(plan, steps, frame, at=20_000 if back else 0)  # type: ignore[arg-type]
        uplink = point_named(plan, "host/up0")
        return tuple(
            replace(each, frame=packed(frame, back=back), wire_length=len(packed(frame)))
            if each.point == uplink
            else each
            for each in found
        )

    there = frames(plan.request[:request], echo(mine, AWAY), back=False)
    return there + frames(plan.reply[:reply], echo(AWAY, mine, reply=True), back=True)


def delivered() -> Recording:
    plan = away()
    probe = Answered(1, START - 1_000, START + 49_000, "reply")
    return recorded(world(), plan, probes=(probe,), request=0, reply=0, extra=on_the_way(plan, reply=5))


def silent(**more: object) -> Recording:
    """VXLAN left by the uplink, and nothing came back."""
    plan = away(**more)  # type: ignore[arg-type]
    return recorded(world(), plan, probes=(sent(),), request=0, reply=0, extra=on_the_way(plan))


def refused() -> Recording:
    """The other node says that nobody listens on the port; no container hears that."""
    plan = away()
    quoted = packed(echo(plan.source.address or "", AWAY))[14:]
    error = bytes(Ether() / IP(src=NODE, dst=OWN) / ICMP(type=3, code=3) / Raw(quoted))
    heard = seen(point_named(plan, "host/up0"), error, at=9_000)
    return recorded(world(), plan, probes=(sent(),), request=0, reply=0, extra=(*on_the_way(plan), heard))


def node_gone() -> Recording:
    """Nobody has the other node's address."""
    plan = away()
    asked = seen(point_named(plan, "host/up0"), arp(OWN, NODE), at=9_000, heading=Heading.OUT)
    frames = (*on_the_way(plan, request=4), asked)
    return recorded(world(), plan, probes=(sent(),), request=0, reply=0, extra=frames)


def blocked(*, back: bool = False, text: str = "-p udp -m udp --dport 4789 -j DROP") -> Recording:
    """A rule of this node drops VXLAN on its way out, or the answer on its way in."""
    plan = away()
    chain, hook = ("INPUT", "input") if back else ("OUTPUT", "output")
    datagram = packed(echo(AWAY if back else "10.0.9.3", "10.0.9.3" if back else AWAY, reply=back), back=back)
    met = Traversal(
        sandbox=HOST,
        family="ip",
        table="filter",
        steps=(RuleStep(chain, StepKind.RULE, "drop", handle=7),),
        frame=datagram[14 : 14 + 40],
        inbound=2 if back else None,
        outbound=None if back else 2,
    )
    key = ChainKey(HOST, Backend.NFT, "ip", "filter", chain)
    known = Chain(key, 1, Hook(hook, 0, "accept"), (ChainRule(7, 1, text, "DROP"),))
    frames = on_the_way(plan, request=5, reply=1) if back else on_the_way(plan, request=4)
    firewall = FirewallRecord(traversals=(met,), chains=(known,))
    return recorded(world(), plan, probes=(sent(),), request=0, reply=0, extra=frames, firewall=firewall)


def too_big(*, told: bool = True) -> Recording:
    """The uplink carries less than the overlay's packets need."""
    narrow = change_link(world(), "host/up0", mtu=1400)
    plan = away(narrow, size=1400, dont_fragment=True)
    mine = plan.source.address or ""
    packet = Ether() / IP(src=mine, dst=AWAY, flags="DF") / ICMP(type=8, id=7, seq=1) / Raw(_payload(1400))
    frames = sightings(plan, plan.request[:4], bytes(packet))
    if not told:
        return recorded(narrow, plan, probes=(sent(),), request=0, reply=0, extra=frames)
    error = Ether() / IP(src=AWAY, dst=mine) / ICMP(type=3, code=4, nexthopmtu=1350) / Raw(bytes(packet)[14:562])
    heard = tuple(
        seen(point_named(plan, name), bytes(error), at=9_000 + at) for at, name in enumerate((f"{OVER}/br0", "n1/eth0"))
    )
    probe = Answered(1, START, START + 9_000, "Frag needed and DF set (mtu = 1350)")
    return recorded(narrow, plan, probes=(probe,), request=0, reply=0, extra=(*frames, *heard))


def told_earlier() -> Recording:
    """The source's own stack remembers what the tunnel's link said."""
    narrow = change_link(world(), "host/up0", mtu=1400)
    plan = away(narrow, size=1400, dont_fragment=True)
    probe = Failed(1, START, 90, "Message too long", 1350)
    return recorded(narrow, plan, probes=(probe,), request=0, reply=0)


def _payload(size: int) -> bytes:
    return (TOKEN + bytes(size))[:size]


OVERLAY_CASES: dict[str, Callable[[], Recording]] = {
    "overlay-mtu": too_big,
    "overlay-peer-silent": silent,
    "overlay-port-blocked": blocked,
}
"""A recording that each finding is raised on."""
