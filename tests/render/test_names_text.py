"""How a lookup is shown: every kind as it was written down, and what holds for all of them."""

import re
from typing import Any

import named
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from named import UPSTREAM, US, asked, forwarded, message, query, record, replied
from named_cases import CASES, DIRECT, FOLDER, PLACES, embedded, hosts_file, silent_upstream, unknown_upstream

from inspector.model.dns import Message, Transport
from inspector.model.lookup import HostsLine, ResolverFile, Unsent
from inspector.model.names import Exchange, Mechanism, NameReport
from inspector.model.path import Seen
from inspector.model.report import Fact, Outcome, Report, Verdict
from inspector.model.text import safe
from inspector.model.topology import BlindSpot, LinkKey, SandboxId
from inspector.render.names_text import render_names
from inspector.render.query_text import MOST_HOPS
from inspector.render.report_text import render_text, render_verdict

SGR = re.compile(r"\x1b\[[0-9;]*m")
each_case = pytest.mark.parametrize("case", CASES)


def shown(report: Report, width: int = 200) -> str:
    return render_names(report, width=width)


def lookup(*exchanges: Exchange, **more: Any) -> Report:
    return named.reported(named.named("mynet-tomcat02", Mechanism.UNRESOLVED, *exchanges, **{"why": "it is", **more}))


@each_case
def test_the_screen_is_the_one_written_down(case: str) -> None:
    assert render_text(CASES[case](), width=80) == (FOLDER / f"{case}.txt").read_text()


def test_every_screen_written_down_has_its_case() -> None:
    assert {each.stem for each in FOLDER.iterdir()} == set(CASES)


@each_case
@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("source", ["tomcat01", "a-container-with-a-name-that-is-as-long-as-names-of-people-are-not"])
def test_lines_fit(case: str, width: int, source: str) -> None:
    report = CASES[case]()
    if report.names and source != "tomcat01":
        report = replace(report, names=_moved(report.names, source))
    for line in shown(report, width).splitlines():
        assert len(line) <= width or len(line.split()) == 1, line


def _moved(names: NameReport, source: str) -> NameReport:
    """Return the names with all hops in another place."""
    place = replace(named.point("tomcat01/eth0"), link=LinkKey(SandboxId(source), 2))

    def move(hops: tuple[Seen, ...]) -> tuple[Seen, ...]:
        return tuple(replace(each, point=place) for each in hops)

    exchanges = []
    for each in names.exchanges:
        legs = tuple(replace(leg, question=move(leg.question), answer=move(leg.answer)) for leg in each.legs)
        exchanges.append(replace(each, legs=legs))
    return replace(names, exchanges=tuple(exchanges), quiet=(place,) * 3)


@each_case
@pytest.mark.parametrize("width", [80, 100])
def test_colour_says_nothing_that_words_do_not(case: str, width: int) -> None:
    coloured = render_names(CASES[case](), width=width, coloured=True)
    assert coloured != render_names(CASES[case](), width=width)
    assert SGR.sub("", coloured) == render_names(CASES[case](), width=width)


@each_case
def test_nothing_reaches_a_terminal_unescaped(case: str) -> None:
    report = CASES[case]()
    for text in (shown(report), render_verdict(report), render_text(replace(report, names=None))):
        assert all(line.isprintable() for line in text.removesuffix("\n").split("\n"))


@given(name=st.text(min_size=1, max_size=300), data=st.text(max_size=300))
def test_any_name_and_any_answer_are_shown_in_lines_that_fit(name: str, data: str) -> None:
    said = message(record("TXT", safe(data), safe(name)), record("TXT", safe(data)), name=safe(name))
    exchange = replied(query(name=name), said, asked(named.to_embedded(), named.from_embedded(9 * US), said))
    for mechanism in (Mechanism.UPSTREAM_DNS, Mechanism.UNRESOLVED):
        text = shown(named.reported(named.named(name, mechanism, exchange, why="it is")), 80)
        assert all(line.isprintable() and len(line) <= 80 for line in text.removesuffix("\n").split("\n"))


# What the source goes by


def test_only_what_differs_from_the_defaults_is_told() -> None:
    assert "options" not in shown(hosts_file())
    assert "options timeout:1 rotate" in shown(unknown_upstream())
    many = named.searched(named.SETUP, attempts=1, timeout_s=0.5, use_tcp=True, no_aaaa=True, edns0=True)
    assert "options ndots:0 timeout:0.5 attempts:1 use-vc edns0 no-aaaa" in shown(lookup(setup=many))


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (ResolverFile("/etc/hosts", (), "the engine's file"), "no line for it\n  /etc/resolv.conf"),
        (ResolverFile("/etc/hosts", (), "the host's file"), "read: the host's file"),
        (
            ResolverFile("/etc/hosts", (), "the engine's file", "the container's own: no such file"),
            "read: the engine's file (the container's own: no such file)",
        ),
        (ResolverFile("/etc/hosts", None, "the container's own file", "no such file"), "could not be read: no such"),
    ],
)
def test_a_file_is_named_where_it_is_not_the_engines(file: ResolverFile, expected: str) -> None:
    assert expected in shown(lookup(setup=named.changed_setup(files=(file,))))


def test_lines_of_the_hosts_file_that_did_not_answer_are_told_as_such() -> None:
    line = HostsLine(9, "192.0.2.1", ("other", "MYNET-tomcat02"))
    setup = named.changed_setup(hosts=(line, HostsLine(10, "192.0.2.2", ("third",))))
    text = shown(lookup(setup=setup))
    assert "line 9: 192.0.2.1  other MYNET-tomcat02   (unused)" in text
    assert "third" not in text


def test_a_hosts_file_of_many_lines_is_cut() -> None:
    lines = tuple(HostsLine(number, "192.0.2.1", ("a",) * 20) for number in range(1, 100))
    text = shown(lookup(hosts=lines))
    assert "line 12: 192.0.2.1  a a a a a a a a a a a a and 8 more" in text
    assert "line 13" not in text
    assert "and 87 lines more" in text


# Queries


def test_a_frame_on_a_loopback_is_shown_once() -> None:
    assert shown(embedded()).count("tomcat01  lo  out") == 2
    assert "tomcat01  lo  in" not in shown(embedded())


def test_a_frame_that_comes_in_again_elsewhere_is_shown() -> None:
    there, back = "192.168.0.2:1 > 192.168.0.3:53", "192.168.0.9:1 > 192.168.0.3:53"
    hops = named.hop("tomcat01/eth0 out", 0, there), named.hop("tomcat01/eth0 in", 5, back)
    assert "eth0  in   +5 ns" in shown(lookup(named.silent(query(), asked(hops))))


def test_a_rewrite_names_its_rule_or_says_why_it_cannot() -> None:
    exchange = named.silent(query(), asked(named.to_embedded()), rule=True)
    became = "destination 127.0.0.11:53 became 127.0.0.11:40720, "
    assert f"{became}by rule nat DOCKER_OUTPUT, position 2: {named.RULE.text}" in shown(lookup(exchange))
    unknown = replace(exchange, rule=None)
    assert f"{became}no rule was found that says so" in shown(lookup(unknown))
    unread = named.changed_setup(rules_why="Operation not permitted")
    assert f"{became}the rules could not be read: Operation not" in shown(lookup(unknown, setup=unread))


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("tomcat01/eth0 out", ", from tomcat01's namespace"),
        ("host/up0 out", ", from the host's namespace"),
        ("host/lo out", ", from the host's namespace"),
        ("host/veth8f1a2b3 in", ", first seen at host/veth8f1a2b3"),
    ],
)
def test_whose_namespace_forwards_is_told_by_the_first_sighting(first: str, expected: str) -> None:
    leg = forwarded((named.hop(first, 0, f"192.0.2.1:1 > {UPSTREAM}:53"),))
    exchange = named.silent(query(), asked(named.to_embedded()), leg)
    assert f"forwarded to {UPSTREAM} over UDP{expected}\n" in shown(lookup(exchange))


def test_two_servers_are_told_one_after_the_other() -> None:
    bad = message(rcode="SERVFAIL", name="www.example")
    legs = (
        asked(named.to_embedded()),
        forwarded(named.to_upstream(100 * US), named.from_upstream(300 * US), bad),
        forwarded(named.to_upstream(400 * US, 39424, server="198.51.100.54"), server="198.51.100.54"),
    )
    text = shown(lookup(named.silent(query(), *legs)))
    first, second = text.index(f"forwarded to {UPSTREAM}"), text.index("forwarded to 198.51.100.54")
    assert first < text.index(": SERVFAIL, the server failed") < second
    assert "an answer was seen as far as tomcat01/eth0, and did not come back" in text


def test_a_way_with_another_word_from_the_upstream_is_told_in_full() -> None:
    def exchange(number: int, kind: str, rcode: str) -> Exchange:
        said = message(rcode=rcode, kind=kind)
        legs = asked(named.to_embedded()), forwarded(named.to_upstream(0), named.from_upstream(9 * US), said)
        return replied(query(number, kind), message(rcode="SERVFAIL", kind=kind), *legs)

    assert "took the same way as query 1" in shown(lookup(exchange(1, "A", "REFUSED"), exchange(2, "AAAA", "REFUSED")))
    text = shown(lookup(exchange(1, "A", "REFUSED"), exchange(2, "AAAA", "SERVFAIL")))
    assert "took the same way" not in text
    assert ": REFUSED, the server refuses" in text


def test_times_never_run_backwards() -> None:
    late = forwarded(named.to_upstream(900 * US), named.from_upstream(950 * US), message())
    exchange = replied(query(), message(), asked(named.to_embedded(), named.from_embedded(800 * US), message()), late)
    assert "-" not in {word[:1] for word in shown(lookup(exchange)).split() if word[1:2].isdigit()}


def test_segments_of_a_connection_without_a_message_are_no_question() -> None:
    leg = asked(named.to_upstream(0), named.from_upstream(90 * US), transport=Transport.TCP, server=UPSTREAM)
    text = shown(lookup(named.refused(query(transport=Transport.TCP, server=UPSTREAM), leg)))
    assert f"    TCP segments  192.168.0.2:39423 > {UPSTREAM}:53" in text
    assert f"    TCP segments back  {UPSTREAM}:53 >" in text


def test_a_flood_of_copies_is_cut() -> None:
    hops = tuple(named.hop("tomcat01/eth0 out", number, "10.0.0.2:1 > 10.0.0.3:53") for number in range(100))
    text = shown(lookup(named.silent(query(), asked(hops))))
    assert text.count("tomcat01  eth0  out") == MOST_HOPS
    assert f"and seen {100 - MOST_HOPS} times more" in text


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (message(), "no data: no A record of that name"),
        (message(rcode="REFUSED"), "REFUSED, the server refuses"),
        (message(rcode="RCODE11"), "answered in 263.0 us:  RCODE11\n"),
        (message(rcode="FORMERR", damage="cut off"), "FORMERR, the server could not read the question; damaged: cut"),
        (message(record("A", "10.0.0.3", "MYNET-Tomcat02.", 5)), "A 10.0.0.3, ttl 5\n"),
        (message(record("CNAME", "b.", "a", 5)), "CNAME b., ttl 5, of a\n"),
        (message(truncated=True), "cut off: the whole answer has to be asked for over TCP"),
        (None, "this is no DNS message"),
    ],
)
def test_an_answer_in_words(said: Message | None, expected: str) -> None:
    assert expected in shown(lookup(replied(query(), said)))


def test_a_refusal_without_a_time_has_none() -> None:
    exchange = Exchange(Unsent(query(), named.START, 101, "Network is unreachable"), None, ())
    assert "    refused:  Network is unreachable; the question was seen nowhere" in shown(lookup(exchange))


# What was quiet, and the verdict


def test_nothing_left_is_claimed_only_where_it_was_watched() -> None:
    left = "nothing left the namespace"
    report = embedded()
    assert report.names
    assert left in shown(report)
    assert left not in shown(silent_upstream())
    assert left not in shown(replace(report, names=replace(report.names, quiet=())))
    only_host = named.quiet("host/veth8f1a2b3")
    assert left not in shown(replace(report, names=replace(report.names, quiet=only_host)))
    assert left not in shown(replace(report, blind_spots=(BlindSpot("tomcat01/eth1", "frames were lost"),)))
    assert left in shown(replace(report, blind_spots=(BlindSpot("host/up0", "is down"),)))


def test_what_the_host_asks_on_its_own_loopback_has_left_the_namespace() -> None:
    leg = forwarded((named.hop("host/lo out", 100 * US, "127.0.0.1:39423 > 127.0.0.53:53"),), server="127.0.0.53")
    exchange = replied(query(), message(), asked(named.to_embedded(), named.from_embedded(500 * US)), leg)
    quiet = named.quiet(*PLACES)
    text = shown(lookup(exchange, quiet=quiet))
    assert "forwarded to 127.0.0.53 over UDP, from the host's namespace" in text
    assert "nothing left the namespace" not in text
    alone = replace(exchange, legs=exchange.legs[:1])
    assert "nothing left the namespace" in shown(lookup(alone, quiet=quiet))


def test_the_quiet_points_of_a_loopback_prove_nothing_where_it_was_used() -> None:
    report = embedded()
    assert "host/lo" not in shown(report).partition("nothing left")[2].partition("RESOLVED")[0]
    assert "no packet anywhere:  tomcat01/lo, " in shown(hosts_file())


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("hosts-file", "RESOLVED  by the hosts file: 172.17.0.3\n"),
        ("embedded", "RESOLVED  by Docker's embedded DNS: 192.168.0.3; reverse: mynet-tomcat02.mynet\n"),
        (
            "forwarded-by-host",
            f"RESOLVED  by upstream DNS {UPSTREAM}, asked by Docker's embedded DNS:\n  203.0.113.7\n",
        ),
        ("search-list", f"RESOLVED  by upstream DNS {UPSTREAM} (as db.corp.example): 203.0.113.7\n"),
        ("pointer", "RESOLVED  by Docker's embedded DNS: mynet-tomcat02.mynet\n"),
        ("unknown-upstream", f"UNRESOLVED  tomcat02: {UPSTREAM} says NXDOMAIN\n"),
    ],
)
def test_the_verdict_is_one_sentence(case: str, expected: str) -> None:
    assert render_verdict(CASES[case]()) == expected
    assert expected in shown(CASES[case](), 80)


def test_another_resolver_on_the_loopback_is_not_called_dockers() -> None:
    exchange = replied(query(server="127.0.0.1"), message(record("A", "10.0.0.3")))
    names = named.named("mynet-tomcat02", Mechanism.EMBEDDED_DNS, exchange)
    assert "RESOLVED  by the resolver at 127.0.0.1: 10.0.0.3" in shown(named.reported(names))


def test_the_name_of_an_address_in_the_hosts_file_is_what_was_found() -> None:
    line = HostsLine(7, "172.17.0.3", ("tomcat02",))
    names = named.named(
        "172.17.0.3",
        Mechanism.HOSTS_FILE,
        types=("PTR",),
        hosts=(line,),
        canonical="tomcat02",
        addresses=("172.17.0.3",),
    )
    assert "RESOLVED  by the hosts file: tomcat02\n" in shown(named.reported(names))


def test_an_outcome_that_cannot_be_told_is_said_as_the_judge_says_it() -> None:
    report = replace(
        embedded(), verdict=Verdict(Outcome.UNKNOWN, "it cannot be told: interrupted\x1b"), interrupted=True
    )
    text = shown(report)
    assert "UNKNOWN  it cannot be told: interrupted\\x1b" in text
    assert text.endswith("interrupted: this is what was seen so far\n")


def test_a_lookup_that_was_not_made_has_its_verdict_all_the_same() -> None:
    report = named.reported(None)
    text = shown(report)
    assert text.startswith(
        "tomcat02, as a program in tomcat01 would look it up\n  Docker Engine 20.10.24\n\nUNRESOLVED"
    )
    obstacle = replace(report.plan, obstacle="tomcat01 is not running")
    stopped = replace(lookup(), plan=obstacle)
    assert "UNRESOLVED  mynet-tomcat02: tomcat01 is not running" in shown(stopped)


def test_a_story_is_told_before_the_verdict() -> None:
    report = replace(lookup(setup=DIRECT, quiet=named.quiet(*PLACES)), story=(Fact("ARP: nobody answered", ("a",)),))
    text = shown(report)
    assert text.index("what the network did\n  ARP: nobody answered") < text.index("UNRESOLVED")
