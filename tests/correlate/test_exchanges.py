"""Each query is followed over all points: the source's own, and what was asked on its behalf."""

from dns_frames import (
    EMBEDDED,
    RULE,
    UPSTREAM,
    answer,
    lookup,
    on_loopback,
    query,
    question,
    replied,
    seen,
    silent,
)
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from inspector.correlate.exchanges import follow_queries, quiet_points
from inspector.model.dns import Transport
from inspector.model.names import LegKind
from inspector.model.path import Rewrite
from inspector.model.question import Heading
from inspector.model.recording import TapCount


def test_a_query_to_the_embedded_dns_is_seen_behind_its_translation() -> None:
    asked = query()
    data = answer(asked, "172.18.0.3")
    (exchange,) = follow_queries(lookup(replied(asked, data), frames=on_loopback(asked, data)))
    (leg,) = exchange.legs
    assert (leg.kind, leg.server) == (LegKind.ASKED, EMBEDDED)
    assert [(str(hop.point), hop.heading) for hop in leg.question] == [("web/lo", "out"), ("web/lo", "in")]
    assert leg.question[0].rewrites == (Rewrite("destination", f"{EMBEDDED}:53", f"{EMBEDDED}:40720"),)
    assert leg.question[1].rewrites == ()
    assert leg.answer[0].source == f"{EMBEDDED}:53"
    assert exchange.rule == RULE
    assert exchange.message
    assert [each.data for each in exchange.message.answers] == ["172.18.0.3"]
    assert exchange.forwarded == ()


def test_without_a_translation_there_is_no_rewrite_and_no_rule() -> None:
    asked = query()
    frames = (seen(0, ("127.0.0.1", 5000), (EMBEDDED, 53), question(asked)),)
    (exchange,) = follow_queries(lookup(silent(asked), frames=frames))
    assert exchange.asked
    assert exchange.asked.question[0].rewrites == ()
    assert exchange.rule is None


def test_what_the_embedded_dns_asks_on_is_a_leg_of_its_own() -> None:
    asked = query()
    data = answer(asked, rcode=3)
    forwarded = question(asked)
    web, server = ("172.18.0.2", 6000), (UPSTREAM, 53)
    frames = (
        *on_loopback(asked, data),
        seen(1, web, server, forwarded, at=50_000),
        seen(2, web, server, forwarded, at=51_000, heading=Heading.IN),
        seen(3, web, server, forwarded, at=51_000, heading=Heading.IN),
        seen(4, ("198.51.100.1", 6000), server, forwarded, at=60_000, ttl=63),
        seen(4, server, ("198.51.100.1", 6000), data, at=90_000, heading=Heading.IN),
        seen(1, server, web, data, at=99_000, heading=Heading.IN),
    )
    (exchange,) = follow_queries(lookup(replied(asked, data), frames=frames))
    (leg,) = exchange.forwarded
    assert leg.server == UPSTREAM
    assert [str(hop.point) for hop in leg.question] == ["web/eth0", "host/veth1", "host/br-app", "host/uplink"]
    assert {each.field for each in leg.question[-1].rewrites} == {"source", "ttl"}
    assert [str(hop.point) for hop in leg.answer] == ["host/uplink", "web/eth0"]
    assert leg.message
    assert leg.message.rcode == "NXDOMAIN"


def test_what_it_asks_on_the_sources_own_loopback_is_told_apart_by_its_port() -> None:
    """Measured: `--dns 127.0.0.1` on a user network makes the engine ask the container's own loopback, same id."""
    asked = query()
    frames = (*on_loopback(asked, None), seen(0, ("127.0.0.1", 6001), ("127.0.0.1", 53), question(asked), at=60_000))
    (exchange,) = follow_queries(lookup(silent(asked), frames=frames))
    assert [leg.server for leg in exchange.forwarded] == ["127.0.0.1"]
    assert len(exchange.asked.question) == 2 if exchange.asked else False


def test_forwarding_from_the_hosts_loopback_is_seen_too() -> None:
    asked = query()
    frames = (*on_loopback(asked, None), seen(5, ("127.0.0.1", 6002), ("127.0.0.53", 53), question(asked), at=60_000))
    (exchange,) = follow_queries(lookup(silent(asked), frames=frames))
    (leg,) = exchange.forwarded
    assert (leg.server, str(leg.question[0].point)) == ("127.0.0.53", "host/lo")


def test_two_questions_at_once_are_told_apart_by_type_and_identifier() -> None:
    first, second = query(1), query(2, "AAAA")
    data = answer(first, "172.18.0.3"), answer(second)
    frames = (*on_loopback(first, data[0]), *on_loopback(second, data[1], at=2_000))
    both = lookup(replied(first, data[0]), replied(second, data[1], at=500), frames=frames)
    exchanges = follow_queries(both)
    assert [len(each.asked.question) if each.asked else 0 for each in exchanges] == [2, 2]
    assert [len(each.message.answers) if each.message else -1 for each in exchanges] == [1, 0]


def test_a_question_asked_again_belongs_to_the_second_query() -> None:
    first, second = query(1, server=UPSTREAM), query(2, server=UPSTREAM)
    web, server = ("172.18.0.2", 5000), (UPSTREAM, 53)
    frames = (seen(1, web, server, question(first)), seen(1, web, server, question(second), at=1_000_001_000))
    exchanges = follow_queries(lookup(silent(first), silent(second, at=1_000_000_000), frames=frames))
    assert [each.asked.question[0].at_ns - each.outcome.at_ns for each in exchanges if each.asked] == [1_000, 1_000]


def test_a_connection_that_is_refused_shows_how_far_it_came() -> None:
    asked = query(server=UPSTREAM, transport=Transport.TCP)
    web, server = ("172.18.0.2", 5000), (UPSTREAM, 53)
    frames = (
        seen(1, web, server, b"", at=1_000, flags="S"),
        seen(4, web, server, b"", at=5_000, flags="S"),
        seen(1, server, web, b"", at=9_000, flags="RA", heading=Heading.IN),
    )
    (exchange,) = follow_queries(lookup(silent(asked), frames=frames))
    assert exchange.asked
    assert [str(hop.point) for hop in exchange.asked.question] == ["web/eth0", "host/uplink"]
    assert [str(hop.point) for hop in exchange.asked.answer] == ["web/eth0"]
    assert exchange.asked.message is None


def test_a_message_over_tcp_is_preferred_to_bare_segments() -> None:
    asked = query(server=UPSTREAM, transport=Transport.TCP)
    data = answer(asked, "203.0.113.7")
    web, server = ("172.18.0.2", 5000), (UPSTREAM, 53)
    ask = question(asked)
    frames = (
        seen(1, web, server, b"", at=1_000, flags="S"),
        seen(1, web, server, len(ask).to_bytes(2, "big") + ask, at=2_000, flags="PA"),
        seen(1, server, web, len(data).to_bytes(2, "big") + data, at=3_000, flags="PA", heading=Heading.IN),
    )
    (exchange,) = follow_queries(lookup(replied(asked, data), frames=frames))
    assert exchange.asked
    assert [hop.at_ns % 1_000_000 for hop in exchange.asked.question] == [2_000]
    assert exchange.asked.message


def test_quiet_is_a_point_that_was_watched_without_loss_and_saw_no_dns() -> None:
    asked = query()
    whole = lookup(silent(asked), frames=on_loopback(asked, None))
    assert [str(each) for each in quiet_points(whole)] == [
        "web/eth0",
        "host/veth1",
        "host/br-app",
        "host/uplink",
        "host/lo",
    ]
    lost = replace(whole, counts=(TapCount(0, 2, 0), TapCount(1, 0, 1), TapCount(2, 0, 0)))
    assert [str(each) for each in quiet_points(lost)] == ["host/veth1"]


@given(st.permutations(range(10)))
def test_the_order_of_arrival_changes_nothing(order: list[int]) -> None:
    asked = query()
    data = answer(asked, rcode=3)
    web, server = ("172.18.0.2", 6000), (UPSTREAM, 53)
    frames = (
        *on_loopback(asked, data),
        *(seen(point, web, server, question(asked), at=50_000 + point) for point in (1, 2, 3)),
        *(seen(point, server, web, data, at=90_000 - point, heading=Heading.IN) for point in (1, 2, 3)),
    )
    straight = follow_queries(lookup(replied(asked, data), frames=frames))
    shuffled = follow_queries(lookup(replied(asked, data), frames=tuple(frames[each] for each in order)))
    assert _shape(straight) == _shape(shuffled)


def _shape(exchanges: object) -> object:
    assert isinstance(exchanges, tuple)
    return [
        [
            (leg.kind, [(str(hop.point), hop.at_ns) for hop in (*leg.question, *leg.answer)])
            for leg in sorted(each.legs, key=lambda leg: leg.kind)
        ]
        for each in exchanges
    ]
