"""An ICMP error belongs to the question it quotes, and to no other."""

from dns_frames import EMBEDDED, UPSTREAM, lookup, on_loopback, query, question, seen, silent
from topologies import ICMP, IP, Ether, Raw
from topologies import seen as sighted

from inspector.correlate.exchanges import follow_queries
from inspector.model.question import Heading
from inspector.model.recording import Observation

WEB, THERE = ("172.18.0.2", 6000), (UPSTREAM, 53)


def refused(by: str, quoted: bytes, *, at: int, point: int = 1) -> Observation:
    """Return the sighting of a port unreachable that quotes a frame: its IP header and eight bytes (RFC 792)."""
    frame = Ether(src="02:00:00:00:00:02", dst="02:00:00:00:00:01") / IP(src=by, dst="172.18.0.2")
    return sighted(point, bytes(frame / ICMP(type=3, code=3) / Raw(quoted[14 : 14 + 28])), at=at, heading=Heading.IN)


def test_a_forwarded_question_that_is_refused_says_by_whom_and_where() -> None:
    asked = query(name="www.example")
    forwarded = seen(1, WEB, THERE, question(asked), at=50_000)
    frames = (*on_loopback(asked, None), forwarded, refused(UPSTREAM, forwarded.frame, at=60_000))
    (exchange,) = follow_queries(lookup(silent(asked), frames=frames, types=("A",)))
    assert exchange.forwarded[0].refusal == f"{UPSTREAM} says Destination Port Unreachable, seen at web/eth0"
    assert exchange.asked is not None
    assert exchange.asked.refusal is None, "the source itself hears nothing of it on Engine 20.10"


def test_an_error_about_another_port_or_server_is_not_its_own() -> None:
    asked = query(name="www.example")
    forwarded = seen(1, WEB, THERE, question(asked), at=50_000)
    others = (
        refused(UPSTREAM, seen(1, ("172.18.0.2", 6001), THERE, b"").frame, at=60_000),
        refused(UPSTREAM, seen(1, WEB, ("198.51.100.54", 53), b"").frame, at=61_000),
        refused(UPSTREAM, b"", at=62_000),
    )
    (exchange,) = follow_queries(lookup(silent(asked), frames=(*on_loopback(asked, None), forwarded, *others)))
    assert exchange.forwarded[0].refusal is None


def test_the_quote_of_a_translated_query_says_port_53() -> None:
    """Measured: conntrack translates the quote back, though the query was seen on its way to the high port."""
    asked = query()
    original = seen(0, ("127.0.0.1", 5000), (EMBEDDED, 53), question(asked))
    frames = (*on_loopback(asked, None), refused(EMBEDDED, original.frame, at=60_000, point=0))
    (exchange,) = follow_queries(lookup(silent(asked), frames=frames, types=("A",)))
    assert exchange.asked is not None
    assert exchange.asked.refusal == f"{EMBEDDED} says Destination Port Unreachable, seen at web/lo"
