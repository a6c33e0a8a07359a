"""The machine asks what a real libc asked: each file under lookups/ is one lookup, measured."""

import pickle
from errno import ECONNREFUSED

import pytest
from driven_lookup import START_NS, drive, message_of, setup_of
from hypothesis import given
from hypothesis import strategies as st
from lookup_cases import Asked, Case, Says, Script, cases
from msgspec.structs import replace

from inspector.capture.asking import MOST_QUERIES
from inspector.model.dns import Transport
from inspector.model.lookup import Ending, Libc, Nameservers, Query, Resolved, ResolverSetup, Wanted
from inspector.model.topology import SandboxId
from inspector.plan.mechanisms import after_dns, before_dns
from inspector.plan.resolver import Resolver
from inspector.wire.resolver_files import read_resolv_conf

BOX = SandboxId("container:web")
IDENTIFIERS = tuple(range(1, 200))
BOTH = pytest.mark.parametrize("libc", Libc)
CASES = cases()
TWO = Nameservers(("10.0.0.1", "10.0.0.2"), search=("a.example", "b.example"))


@pytest.mark.parametrize("case", CASES, ids=[each.name for each in CASES])
def test_the_queries_are_those_of_a_real_libc(case: Case) -> None:
    setup, wanted = setup_of(case), Wanted(case.wanted, case.types, BOX)
    turn = before_dns(setup, wanted)
    assert turn.asks == ("ending" in case.expect)
    if not turn.asks:
        assert case.queries == ()
        assert [each.number for each in turn.hosts] == case.expect.get("hosts", [])
        return
    resolver = Resolver(wanted, setup, IDENTIFIERS)
    driven = drive(resolver, Script(case.rules), case.refused)
    asked = _asked(driven.queries, case.refused)
    assert [replace(each, at_s=0.0) for each in asked] == [replace(each, at_s=0.0) for each in case.queries]
    assert [each.at_s for each in asked] == pytest.approx([each.at_s for each in case.queries], abs=0.08)
    assert driven.over_s == pytest.approx(case.expect["over_s"], abs=0.15)
    result = resolver.result
    assert (result.ending.value, result.candidate) == (case.expect["ending"], case.expect.get("candidate"))
    lines = after_dns(setup, wanted, result.ending).hosts
    assert [each.number for each in lines] == case.expect.get("hosts", [])
    assert case.expect["error"] == ("" if lines else result.error or "")


def test_no_case_is_empty() -> None:
    assert len(CASES) > 100
    assert {each.libc for each in CASES} == set(Libc)
    assert sum(bool(each.queries) for each in CASES) > 90


def _asked(queries: list[tuple[float, Query]], refused: tuple[str, ...]) -> list[Asked]:
    """Put down queries as the cases do: a query over TCP to a closed port never leaves."""
    sockets: dict[int, int] = {}
    found: list[Asked] = []
    for at_s, query in queries:
        if query.transport is Transport.TCP and query.server in refused:
            continue
        number = sockets.setdefault(query.socket, len(sockets) + 1)
        found.append(Asked(at_s, query.server, query.transport.value, query.type, query.name, number))
    return found


def _setup(libc: Libc, servers: Nameservers = TWO) -> ResolverSetup:
    return ResolverSetup(libc, "told", nameservers=servers)


@BOTH
@pytest.mark.parametrize("waits_s", [0.3, 1.0, 3.0])
def test_a_silent_lookup_with_one_attempt_ends_after_its_time(libc: Libc, waits_s: float) -> None:
    wanted = Wanted("web.example", ("A", "AAAA"), BOX, timeout_s=waits_s, attempts=1)
    resolver = Resolver(wanted, _setup(libc, Nameservers(("10.0.0.1",))), IDENTIFIERS)
    driven = drive(resolver, Script(()))
    assert [(at_s, query.type) for at_s, query in driven.queries] == [(0.0, "A"), (0.0, "AAAA")]
    assert driven.over_s == pytest.approx(waits_s, abs=0.001)
    assert resolver.result == Resolved(Ending.TIMED_OUT, error="EAI_AGAIN")


@BOTH
@pytest.mark.parametrize(
    "rules",
    [
        (),
        (Says(reply="NXDOMAIN"),),
        (Says(answers=("A 10.0.0.9",)),),
        (Says(reply="SERVFAIL", server="10.0.0.1"), Says(answers=("A 10.0.0.9",))),
    ],
    ids=["silence", "no such name", "answers", "one server fails"],
)
@pytest.mark.parametrize("search", [("a.example", "b.example"), (".", "a.example")], ids=["domains", "the root"])
def test_every_asks_each_server_for_each_name_and_type_once(
    libc: Libc, rules: tuple[Says, ...], search: tuple[str, ...]
) -> None:
    wanted = Wanted("web", ("A", "AAAA", "MX"), BOX, every=True, timeout_s=1.0)
    driven = drive(Resolver(wanted, _setup(libc, replace(TWO, search=search)), IDENTIFIERS), Script(rules))
    asked = [(query.name, query.server, query.type) for _, query in driven.queries]
    names = {each[0] for each in asked if each[2] == "A"}
    assert names == {"web", *(f"web.{each}" for each in search if each != ".")}
    assert len(asked) == len(set(asked))
    expected = {(name, server, kind) for name in names for server in TWO.addresses for kind in ("A", "AAAA")}
    assert {each for each in asked if each[2] != "MX"} == expected
    assert {each[1] for each in asked if each[2] == "MX"} == set(TWO.addresses)


def test_every_names_the_answer_of_the_first_server_and_goes_to_tcp_for_the_rest() -> None:
    rules = (Says(reply="truncated", transport="udp", server="10.0.0.1", type="A"), Says(answers=("A 10.0.0.9",)))
    wanted = Wanted("web.example.", ("A",), BOX, every=True)
    resolver = Resolver(wanted, _setup(Libc.GLIBC), IDENTIFIERS)
    driven = drive(resolver, Script(rules))
    asked = [(query.server, query.transport.value) for _, query in driven.queries]
    assert asked == [("10.0.0.1", "udp"), ("10.0.0.2", "udp"), ("10.0.0.1", "tcp")]
    assert resolver.result == Resolved(Ending.ANSWERED, "web.example", (3,))


@BOTH
def test_nothing_can_be_asked_of_a_name_that_fits_no_message(libc: Libc) -> None:
    resolver = Resolver(Wanted("a" * 64, ("A", "AAAA"), BOX), _setup(libc), IDENTIFIERS)
    assert resolver.done
    assert resolver.wake_ns() is None
    assert resolver.result == Resolved(Ending.UNASKED, error="EAI_NONAME")


@BOTH
def test_rotate_starts_somewhere_else_only_in_glibc(libc: Libc) -> None:
    servers = replace(TWO, rotate=True, search=())
    resolver = Resolver(Wanted("web", ("A",), BOX), _setup(libc, servers), (1,))
    asked = [each.server for each in resolver.due(0)]
    assert asked == (["10.0.0.2"] if libc is Libc.GLIBC else ["10.0.0.1", "10.0.0.2"])


@BOTH
def test_it_can_be_pickled_before_it_is_used(libc: Libc) -> None:
    resolver = Resolver(Wanted("web", ("A", "AAAA"), BOX), _setup(libc), IDENTIFIERS)
    copy = pickle.loads(pickle.dumps(resolver))
    rules = (Says(reply="NXDOMAIN"),)
    assert drive(copy, Script(rules)).queries == drive(resolver, Script(rules)).queries
    assert copy.result == resolver.result


@BOTH
def test_a_stray_refusal_and_a_second_answer_count_for_nothing(libc: Libc) -> None:
    resolver = Resolver(Wanted("web.example", ("A", "AAAA"), BOX), _setup(libc), IDENTIFIERS)
    first, *_ = resolver.due(START_NS)
    resolver.refused(replace(first, number=99, name="db.example"), ECONNREFUSED, START_NS)
    for _ in range(2):
        resolver.answered(first, message_of(first, Says(reply="NXDOMAIN")), START_NS)
    assert not resolver.done


RULES = st.builds(
    Says,
    reply=st.sampled_from(["NOERROR", "NXDOMAIN", "SERVFAIL", "REFUSED", "FORMERR", "truncated", "reset", "silence"]),
    answers=st.sampled_from([(), ("A 10.0.0.1",), ("AAAA fd00::1",), ("CNAME far.example",)]),
    server=st.sampled_from([None, "10.0.0.1", "10.0.0.2"]),
    type=st.sampled_from([None, "A", "AAAA"]),
    transport=st.sampled_from([None, "udp", "tcp"]),
    after_s=st.sampled_from([0.0, 0.7, 1.4]),
    times=st.integers(1, 4),
    recursive=st.booleans(),
)
OPTIONS = ["rotate", "single-request", "single-request-reopen", "use-vc", "attempts:3", "ndots:2", "no-aaaa"]
SERVERS = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]


@given(
    libc=st.sampled_from(Libc),
    options=st.lists(st.sampled_from(OPTIONS)),
    rules=st.lists(RULES, max_size=12),
    refused=st.sets(st.sampled_from(SERVERS)),
    every=st.booleans(),
)
def test_whatever_the_servers_do_it_ends(
    libc: Libc, options: list[str], rules: list[Says], refused: set[str], *, every: bool
) -> None:
    lines = [f"nameserver {each}\n" for each in SERVERS]
    text = "".join([*lines, "search a.example .\n", "options timeout:1 ", *(f"{each} " for each in options)])
    setup = _setup(libc, read_resolv_conf(text, libc=libc))
    resolver = Resolver(Wanted("web.shop", ("A", "AAAA"), BOX, every=every), setup, IDENTIFIERS)
    driven = drive(resolver, Script(tuple(rules)), sorted(refused))
    result, numbers = resolver.result, [query.number for _, query in driven.queries]
    assert result.ending is not Ending.UNASKED
    assert (result.candidate is None) is (result.ending is not Ending.ANSWERED)
    assert set(result.decided_by) <= set(numbers)
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) <= MOST_QUERIES
