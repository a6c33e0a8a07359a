"""The fragments of a packet are one packet, at each point, in whatever order and number they come."""

from topologies import TOKEN, planned, read, recorded, seen, sent
from topologies import echo as small

from inspector.correlate.fragments import Sighting
from inspector.correlate.paths import follow
from inspector.correlate.tracks import Kind, Tracks, sort_frames
from inspector.model.path import Path
from inspector.model.question import Heading
from inspector.model.recording import Observation
from inspector.wire import scapy_door
from inspector.wire.craft import payload

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, fragment  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6, IPv6ExtHdrFragment, fragment6  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

A, B, NAT = "172.17.0.2", "172.17.0.3", "203.0.113.1"
WORLD = read("two-networks.toml")


def pieces(source: str = A, destination: str = B, *, identification: int = 77, size: int = 3000) -> list[bytes]:
    """Return the three frames of an echo request that is too large for one."""
    message = ICMP(type=8, id=7, seq=1) / Raw(payload(TOKEN, 1, size))
    packet = IP(src=source, dst=destination, id=identification) / Raw(bytes(message))
    packet.proto = 1
    return [bytes(Ether(src="02:42:00:00:00:01", dst="02:42:00:00:00:02") / each) for each in fragment(packet, 1480)]


def pieces6() -> list[bytes]:
    echo = ICMPv6EchoRequest(id=7, seq=1, data=payload(TOKEN, 1, 3000))
    packet = IPv6(src="fd00::2", dst="fd00::3") / IPv6ExtHdrFragment() / echo
    ether = Ether(src="02:42:00:00:00:01", dst="02:42:00:00:00:02")
    return [bytes(ether / each) for each in fragment6(packet, 1500)]


def sightings(*observations: Observation) -> list[Sighting]:
    tracks: Tracks = sort_frames(observations, TOKEN, (A, B))
    return tracks.sightings(Kind.REQUEST, 1)


def at(point: int, frames: list[bytes]) -> list[Observation]:
    return [seen(point, frame, at=number) for number, frame in enumerate(frames)]


def test_they_are_one_sighting_at_each_point() -> None:
    both = sightings(*at(0, pieces()), *at(1, pieces()[::-1]))
    assert [(each.index, each.others, each.whole) for each in both] == [(0, (1, 2), True), (5, (4, 3), True)]


def test_ipv6_too() -> None:
    (only,) = sightings(*at(0, pieces6()))
    assert (only.others, only.whole) == ((1, 2), True)


def test_one_that_is_missing_is_told() -> None:
    first, _, last = pieces()
    (only,) = sightings(*at(0, [first, last]))
    assert (only.others, only.whole) == ((1,), False)
    (only,) = sightings(*at(0, [first]))
    assert (only.others, only.whole) == ((), False)


def test_the_same_one_twice_counts_once() -> None:
    (only,) = sightings(*at(0, [*pieces(), pieces()[1]]))
    assert (only.others, only.whole) == ((1, 2), True)


def test_a_point_without_the_first_one_is_known_by_identification_and_an_address() -> None:
    both = sightings(*at(0, pieces()), *at(1, pieces(NAT)[1:]))
    assert [(each.index, each.whole) for each in both] == [(0, True), (3, False)]


def test_fragments_of_others_are_left_alone() -> None:
    both = sightings(*at(0, pieces()), *at(1, pieces(identification=78)[1:]), *at(2, pieces(NAT, NAT)[1:]))
    assert [each.observation.point for each in both] == [0]


def test_a_packet_that_is_put_together_and_cut_up_again_is_one_path() -> None:
    plan = planned(WORLD, "web", "db", count=1, size=3000)
    whole = small(A, B)
    frames = [
        seen(plan.points.index(step.point), each, at=1_000 * number, heading=step.heading)
        for number, step in enumerate(plan.request)
        for each in ([whole] if number == 2 else pieces())
    ]
    recording = recorded(WORLD, plan, probes=(sent(),), request=0, reply=0, extra=tuple(frames))
    paths = follow(recording, sort_frames(recording.observations, TOKEN, plan.neighbours))
    assert [told(each) for each in paths] == [[3, 3, 1, 3, 3]]
    changes = [(each.before, each.after) for hop in paths[0].seen for each in hop.rewrites if each.field == "fragments"]
    assert changes == [("3", "1"), ("1", "3")]
    assert all(hop.planned and hop.heading in Heading for hop in paths[0].seen)


def told(path: Path) -> list[int]:
    return [hop.fragments for hop in path.seen]
