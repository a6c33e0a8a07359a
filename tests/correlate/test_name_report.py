"""What came of a lookup: who answered, what, and why nobody did."""

import pytest
from dns_frames import EMBEDDED, START, UPSTREAM, answer, lookup, on_loopback, query, question, replied, seen, silent
from msgspec.structs import replace
from topologies import read

from inspector.correlate.name_report import judge_names, name_report
from inspector.model.lookup import HostsLine, Unsent
from inspector.model.names import Mechanism
from inspector.model.question import Plan, Question
from inspector.model.recording import Lookup, Recording
from inspector.model.report import Outcome
from inspector.model.topology import HOST
from inspector.plan.make import make_plan
from inspector.render.name_words import server_words

LINE = HostsLine(7, "172.18.0.9", ("db", "0123456789ab"))


def test_a_line_of_the_hosts_file_answers_without_a_query() -> None:
    report = name_report(lookup(hosts=(LINE,), asks=False))
    assert (report.mechanism, report.addresses, report.canonical) == (Mechanism.HOSTS_FILE, ("172.18.0.9",), "db")
    assert len(report.quiet) == 6


def test_the_embedded_dns_answers_out_of_its_own_knowledge() -> None:
    first, second = query(1), query(2, "AAAA")
    data = answer(first, "172.18.0.3"), answer(second)
    frames = (*on_loopback(first, data[0]), *on_loopback(second, data[1], at=2_000))
    report = name_report(lookup(replied(first, data[0]), replied(second, data[1], at=500), frames=frames))
    assert (report.mechanism, report.server, report.addresses) == (Mechanism.EMBEDDED_DNS, EMBEDDED, ("172.18.0.3",))
    assert [(each.type, each.ttl) for each in report.answers] == [("A", 600)]


def test_an_answer_that_was_asked_for_elsewhere_is_an_upstream_one() -> None:
    asked = query()
    data = answer(asked, "203.0.113.7")
    forwarded = seen(1, ("172.18.0.2", 6000), (UPSTREAM, 53), question(asked), at=50_000)
    report = name_report(lookup(replied(asked, data), frames=(*on_loopback(asked, data), forwarded)))
    assert report.mechanism is Mechanism.UPSTREAM_DNS


def test_the_engine_s_own_server_may_be_elsewhere_than_on_the_loopback() -> None:
    """As aardvark-dns of Podman: on the gateway of the network."""
    asked = query(server=UPSTREAM)
    plain = lookup(replied(asked, answer(asked, "172.18.0.3")))
    own = replace(plain, plan=replace(plain.plan, setup=replace(plain.plan.setup, own_servers=(UPSTREAM,))))
    assert name_report(plain).mechanism is Mechanism.UPSTREAM_DNS
    report = name_report(own)
    assert (report.mechanism, report.server) == (Mechanism.EMBEDDED_DNS, UPSTREAM)
    assert server_words(report) == f"the engine's DNS at {UPSTREAM}"


def test_a_local_resolver_of_the_host_is_an_upstream_one_too() -> None:
    asked = query(server="127.0.0.53")
    data = answer(asked, "203.0.113.7")
    report = name_report(lookup(replied(asked, data), sandbox=HOST))
    assert report.mechanism is Mechanism.UPSTREAM_DNS


def test_the_first_name_with_data_wins_and_has_both_families() -> None:
    asked = [
        query(1, name="db.a.example"),
        query(2, "AAAA", name="db.a.example"),
        query(3, name="db.b.example"),
        query(4, "AAAA", name="db.b.example"),
        query(5, name="db"),
    ]
    data = [answer(asked[0], rcode=3), answer(asked[1], rcode=3), answer(asked[2], "10.0.0.1")]
    data += [answer(asked[3], "fd00::1"), answer(asked[4], "10.0.0.2")]
    report = name_report(lookup(*(replied(each, said) for each, said in zip(asked, data, strict=True))))
    assert (report.canonical, report.addresses) == ("db.b.example", ("10.0.0.1", "fd00::1"))


def test_the_answers_own_name_is_told_and_is_no_address() -> None:
    asked, back = query(), query(2, "PTR", name="3.0.18.172.in-addr.arpa")
    report = name_report(lookup(replied(asked, answer(asked, "172.18.0.3")), replied(back, answer(back, "db.app."))))
    assert (report.reverse, report.addresses) == ("db.app", ("172.18.0.3",))
    assert [each.type for each in report.answers] == ["A"]


@pytest.mark.parametrize(
    ("rcode", "words"),
    [(3, "198.51.100.53 says NXDOMAIN"), (2, "198.51.100.53 says SERVFAIL"), (5, "198.51.100.53 says REFUSED")],
)
def test_what_the_server_said_is_the_reason(rcode: int, words: str) -> None:
    asked = query(server=UPSTREAM)
    report = name_report(lookup(replied(asked, answer(asked, rcode=rcode))))
    assert (report.mechanism, report.why) == (Mechanism.UNRESOLVED, words)


def test_no_data_silence_refusal_and_truncation_have_their_own_words() -> None:
    asked = query(server=UPSTREAM)
    assert _why(lookup(replied(asked, answer(asked)))) == "198.51.100.53 knows the name, and no A of it"
    assert _why(lookup(silent(asked))) == "198.51.100.53 did not answer within 1.0 s"
    refused = Unsent(asked, START, 111, "Connection refused", START + 90_000, 5000)
    assert _why(lookup(refused)) == "198.51.100.53 cannot be asked: connection refused"
    assert "does not fit" in str(_why(lookup(replied(asked, answer(asked, tc=1)))))
    assert "DNS is not asked" in str(_why(lookup(asks=False)))


def test_the_verdict_of_a_lookup_is_where_its_last_question_was_seen() -> None:
    asked = query(server=UPSTREAM)
    web, server = ("172.18.0.2", 5000), (UPSTREAM, 53)
    frames = (seen(1, web, server, question(asked)), seen(2, web, server, question(asked), at=2_000))
    unanswered = lookup(silent(asked), frames=frames)
    verdict = judge_names(_recording(unanswered), name_report(unanswered))
    assert (verdict.outcome, str(verdict.last_seen)) == (Outcome.UNRESOLVED, "host/veth1")
    cut = replace(unanswered, interrupted=True)
    assert judge_names(_recording(cut), name_report(cut)).outcome is Outcome.UNKNOWN
    found = lookup(replied(asked, answer(asked, "203.0.113.7")))
    assert judge_names(_recording(found), name_report(found)).summary == "db is 203.0.113.7"


def _why(asked: Lookup) -> str | None:
    return name_report(asked).why


def _recording(asked: Lookup) -> Recording:
    topology = read("two-networks.toml")
    name = topology.containers[0].name
    plan: Plan = make_plan(topology, Question(name, "db", names_only=True))
    return Recording(topology, plan, b"", lookup=asked)


def test_the_hosts_file_may_answer_behind_dns() -> None:
    asked = query(server=UPSTREAM)
    no, failed = replied(asked, answer(asked, rcode=3)), replied(asked, answer(asked, rcode=2))
    found = replied(asked, answer(asked, "203.0.113.7"))
    assert name_report(lookup(no, hosts_if_denied=(LINE,))).addresses == (LINE.address,)
    assert name_report(lookup(no, hosts_if_failed=(LINE,))).mechanism is Mechanism.UNRESOLVED
    assert name_report(lookup(failed, hosts_if_failed=(LINE,))).mechanism is Mechanism.HOSTS_FILE
    assert name_report(lookup(silent(asked), hosts_if_denied=(LINE,))).mechanism is Mechanism.UNRESOLVED
    assert name_report(lookup(found, hosts_if_denied=(LINE,))).addresses == ("203.0.113.7",)
