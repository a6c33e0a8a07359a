"""A recording with something of everything, for tests that keep recordings."""

from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network
from pathlib import Path

from msgspec.structs import replace

from inspector import archive
from inspector.model.path import Direction
from inspector.model.prediction import Expected, Prediction
from inspector.model.question import CapturePoint, Heading, Party, PathKind, Plan, Question, Resolution, Step
from inspector.model.recording import Aftermath, Answered, Failed, NotSent, Observation, Recording, Sent, TapCount, Vlan
from inspector.model.routing import PolicyRule, RouteAnswer, RouteQuery, RoutingRecord, StackSetting
from inspector.model.topology import (
    BlindSpot,
    Container,
    Endpoint,
    EngineIdentity,
    FdbEntry,
    Link,
    LinkKey,
    LinkKind,
    Mode,
    Neighbour,
    Network,
    Route,
    Sandbox,
    SandboxId,
    Setting,
    Subnet,
    Topology,
)

WEB, HOST = SandboxId("web"), SandboxId("host")
ETH0, VETH, BRIDGE = LinkKey(WEB, 2), LinkKey(HOST, 7), LinkKey(HOST, 5)
POINTS = (
    CapturePoint(ETH0, "eth0"),
    CapturePoint(VETH, "veth7", promiscuous=True),
    CapturePoint(LinkKey(HOST, 99), "x"),
)
FRAME = bytes.fromhex("0242ac1100030242ac110002080045000028000140004001aaaa0a0000020a0000030800f7ff00000000") + bytes(
    12
)
AT_NS = 1_700_000_000_123_456_789


def topology() -> Topology:
    """Describe one container on one bridge."""
    web = Link(ETH0, "eth0", LinkKind.VETH, True, True, 1500, "02:42:ac:11:00:02", (IPv4Interface("10.0.0.2/24"),))  # noqa: FBT003
    web = replace(web, addresses=(*web.addresses, IPv6Interface("fd00::2/64")), peer=VETH, peer_ifindex=7)
    veth = replace(web, key=VETH, name="veth7", addresses=(), peer=ETH0, bridge=BRIDGE, port=1)
    bridge = replace(veth, key=BRIDGE, name="br0", kind=LinkKind.BRIDGE, peer=None, bridge=None, port=None)
    routes = (Route(IPv4Network("0.0.0.0/0"), "10.0.0.1", 2), Route(IPv6Network("fd00::/64"), None, 2, local=True))
    return Topology(
        engine=EngineIdentity("docker", "28.0"),
        sandboxes=(
            Sandbox(WEB, 4026533870, (web,), routes, settings=(Setting("net/ipv4/ip_forward", None),)),
            Sandbox(HOST, 4026531840, (veth, bridge)),
        ),
        networks=(
            Network("0" * 64, "app", "bridge", (Subnet(IPv4Network("10.0.0.0/24"), "10.0.0.1"),), bridge=BRIDGE),
        ),
        containers=(
            Container(
                "1" * 64, "web", "running", Mode.OWN, WEB, None, (Endpoint("app", ("10.0.0.2", "fd00::2"), None),)
            ),
            Container("2" * 64, "odd", "exited", Mode.NONE, None, endpoints=(Endpoint("app", ("", "10.0.0.2"), None),)),
        ),
    )


def plan() -> Plan:
    """Describe a trace between two containers."""
    return Plan(
        question=Question("web", "db", timeout_s=2),
        source=Party("web", WEB, "10.0.0.2", "web"),
        destination=Party("db", None, "10.0.0.3"),
        resolution=Resolution("db", "docker dns", "10.0.0.3"),
        kind=PathKind.SWITCHED,
        family=4,
        request=(Step(POINTS[0], Heading.OUT), Step(POINTS[1], Heading.IN, routed=True)),
        points=POINTS,
        neighbours=("10.0.0.3",),
        prediction=Prediction(Expected.UNKNOWN, "because"),
    )


def recording() -> Recording:
    """Build a recording with something of everything."""
    seen = Observation(0, AT_NS, Heading.OUT, 4, FRAME, len(FRAME), checksum_ready=False)
    tagged = Observation(1, AT_NS + 5, Heading.IN, 3, FRAME, 2000, vlan=Vlan(0x2007, 0x88A8))
    return Recording(
        topology=topology(),
        plan=plan(),
        token=bytes(range(16)),
        probes=(NotSent(1, "a"), Failed(2, AT_NS, 1, "b"), Sent(3, AT_NS), Answered(4, AT_NS, AT_NS + 9, "reply")),
        observations=(seen, tagged),
        counts=(TapCount(0, 12, 0), TapCount(1, 12, 3)),
        blind_spots=(BlindSpot("host/x", "not there"),),
        aftermath=Aftermath(
            (FdbEntry(BRIDGE, VETH, "02:42:ac:11:00:02", learned=True),), (Neighbour(ETH0, "a", None, "s"),)
        ),
        side_effects=("an ARP entry",),
        departed=("cache",),
        routing=RoutingRecord(
            (RouteAnswer(RouteQuery(Direction.REPLY, WEB, "10.0.0.3", inbound=ETH0), "unicast", ETH0, table=77),),
            (PolicyRule(WEB, "9: from all lookup 77"),),
            (StackSetting(WEB, "net.ipv4.ip_forward", None),),
        ),
    )


def save(value: Recording, folder: Path) -> None:
    """Save with a comment and packet ids."""
    archive.save(value, folder, {0: "hop 1/2"}, {0: 7, 1: 7}, "0.1.0")
