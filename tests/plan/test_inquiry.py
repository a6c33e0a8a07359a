"""A lookup is asked to its end: the name, and where an address of ours is the answer, that address's own name."""

import pickle

from driven_lookup import Driven, drive
from lookup_cases import Says, Script

from inspector.model.lookup import Libc, LookupPlan, Nameservers, ResolverSetup, Wanted
from inspector.model.question import Party
from inspector.model.topology import SandboxId
from inspector.plan.inquiry import MOST_QUERIES, Inquiry

BOX = SandboxId("container:web")
NEAR, FAR = "10.0.0.3", "203.0.113.9"
POINTER = "3.0.0.10.in-addr.arpa"
IDENTIFIERS = tuple(range(1000, 1000 + MOST_QUERIES))
FOUND = (
    Says(reply="NXDOMAIN", name="db.a.example"),
    Says(type="A", answers=(f"A {NEAR}",)),
    Says(type="AAAA"),
    Says(type="PTR", answers=("PTR db.one.",)),
)


def _inquiry(
    *, name: str = "db", types: tuple[str, ...] = ("A", "AAAA"), reverse: tuple[str, ...] = (NEAR,), asks: bool = True
) -> Inquiry:
    setup = ResolverSetup(Libc.GLIBC, "told", nameservers=Nameservers(("10.0.0.1",), search=("a.example",)))
    source = Party("web", BOX, None)
    plan = LookupPlan(Wanted(name, types, BOX), source, setup, asks=asks, reverse=reverse)
    return Inquiry(plan, IDENTIFIERS)


def _asked(driven: Driven) -> list[tuple[str, str]]:
    return [(query.name, query.type) for _, query in driven.queries]


FORWARD = [("db.a.example", "A"), ("db.a.example", "AAAA"), ("db", "A"), ("db", "AAAA")]


def test_the_name_of_an_address_of_ours_is_asked_for_afterwards() -> None:
    inquiry = _inquiry()
    driven = drive(inquiry, Script(FOUND))
    assert _asked(driven) == [*FORWARD, (POINTER, "PTR")]
    assert inquiry.done
    assert inquiry.wake_ns() is None


def test_numbers_identifiers_and_sockets_are_of_the_whole_inquiry() -> None:
    queries = [query for _, query in drive(_inquiry(), Script(FOUND)).queries]
    assert [each.number for each in queries] == [1, 2, 3, 4, 5]
    assert [each.identifier for each in queries] == [1000, 1001, 1002, 1003, 1004]
    pair, again, reverse = ({each.socket for each in queries[part]} for part in (slice(2), slice(2, 4), slice(4, 5)))
    assert len(pair) == len(again) == len(reverse) == 1
    assert len(pair | again | reverse) == 3


def test_a_silent_pointer_is_waited_for_one_second_and_not_repeated() -> None:
    driven = drive(_inquiry(), Script(FOUND[:-1]))
    assert _asked(driven) == [*FORWARD, (POINTER, "PTR")]
    assert driven.over_s == 1.0


def test_a_refused_pointer_ends_the_inquiry() -> None:
    driven = drive(_inquiry(), Script((*FOUND[:-1], Says(reply="reset", type="PTR"))))
    assert _asked(driven) == [*FORWARD, (POINTER, "PTR")]
    assert driven.over_s == 0.0


def test_no_pointer_where_nothing_was_found() -> None:
    assert _asked(drive(_inquiry(), Script((Says(reply="NXDOMAIN"),)))) == FORWARD


def test_no_pointer_for_an_address_that_is_not_ours() -> None:
    rules = (FOUND[0], Says(type="A", answers=(f"A {FAR}",)), Says(type="AAAA"))
    assert _asked(drive(_inquiry(), Script(rules))) == FORWARD
    assert _asked(drive(_inquiry(reverse=()), Script(FOUND))) == FORWARD


def test_the_name_of_an_address_alone_is_asked_for_once() -> None:
    assert _asked(drive(_inquiry(name=NEAR, types=("PTR",)), Script(FOUND))) == [(POINTER, "PTR")]


def test_nothing_is_asked_where_the_hosts_file_answers() -> None:
    inquiry = _inquiry(asks=False)
    assert inquiry.done
    assert drive(inquiry, Script(FOUND)).queries == []


def test_it_can_be_pickled_before_it_is_used() -> None:
    copy = pickle.loads(pickle.dumps(_inquiry()))
    assert drive(copy, Script(FOUND)).queries == drive(_inquiry(), Script(FOUND)).queries
