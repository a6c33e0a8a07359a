"""A lookup is planned: what the hosts file answers, which names may be asked for, and when there is none at all."""

import pytest
from msgspec.structs import replace
from topologies import read

from inspector.errors import UsageError
from inspector.model.lookup import HostsLine, Libc, LookupPlan, Nameservers, ResolverSetup, TranslationRule
from inspector.model.question import Question
from inspector.plan.bpf import SNAPSHOT
from inspector.plan.lookup import lookup_program, plan_lookup
from inspector.plan.parties import find_source, is_a_name
from inspector.wire import craft, scapy_door

scapy_door.prepare()

from bpf_machine import judge  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

TOPOLOGY = read(
    """
[networks.app]
bridge = "br-app"
subnets = ["172.18.0.1/16"]
[containers.web]
networks = { app = ["172.18.0.2"] }
id = "0123456789abcdef"
[containers.db]
networks = { app = ["172.18.0.3"] }
id = "fedcba9876543210"
"""
)
SETUP = ResolverSetup(Libc.GLIBC, "assumed", nameservers=Nameservers(("127.0.0.11",), ndots=0))


def plan(name: str, setup: ResolverSetup = SETUP, **more: object) -> LookupPlan:
    question = replace(Question("web", name, names_only=True), **more)  # type: ignore[arg-type]
    return plan_lookup(TOPOLOGY, question, find_source(TOPOLOGY, "web"), setup)


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("db", True),
        ("db.example", True),
        ("DB", True),
        ("fedcba", False),
        ("172.18.0.3", False),
        ("fe80::1%eth0", False),
        ("host", False),
        ("gateway", False),
        ("web", False),
    ],
)
def test_what_a_program_would_look_up(word: str, *, wanted: bool) -> None:
    assert is_a_name(TOPOLOGY, Question("web", word)) is wanted
    assert is_a_name(TOPOLOGY, Question("web", word, names_only=True))


def test_the_hosts_file_answers_and_nobody_is_asked() -> None:
    line = HostsLine(3, "10.0.0.1", ("db",))
    planned = plan("db", replace(SETUP, hosts=(line,)))
    assert (planned.hosts, planned.asks) == ((line,), False)
    assert plan("db", replace(SETUP, hosts=(line,)), every=True).asks, "--all asks all the same"


def test_an_address_asks_for_its_name() -> None:
    planned = plan("172.18.0.3")
    assert (planned.wanted.types, planned.candidates) == (("PTR",), ("3.0.18.172.in-addr.arpa",))


def test_search_domains_make_candidates() -> None:
    servers = Nameservers(("10.0.0.53",), search=("a.example", "b.example"))
    assert plan("db", replace(SETUP, nameservers=servers)).candidates == ("db.a.example", "db.b.example", "db")


@pytest.mark.parametrize("name", ["", "x" * 64, "a..b", ".".join(["x" * 60] * 5)])
def test_a_name_that_no_message_can_hold_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="no name that DNS can be asked for"):
        plan(name)


def test_a_timeout_of_ours_is_waited_for_once() -> None:
    assert (plan("db").wanted.timeout_s, plan("db").wanted.attempts) == (None, None)
    hasty = plan("db", lookup_timeout_s=0.2).wanted
    assert (hasty.timeout_s, hasty.attempts) == (0.2, 1)


def test_names_of_neighbours_may_be_asked_for_but_not_in_a_trace() -> None:
    assert plan("db").reverse == ("172.18.0.2", "172.18.0.3")
    assert plan("db", names_only=False).reverse == ()


def test_the_filter_knows_the_names_and_the_rewritten_ports() -> None:
    rule = TranslationRule("nat", "DOCKER_OUTPUT", 1, "-A", "nf_tables", to_port=40719)
    program = lookup_program(plan("db", replace(SETUP, rules=(rule,))))
    here = Ether() / IP(src="127.0.0.1", dst="127.0.0.11")

    def accepts(frame: object) -> bool:
        return judge(program, bytes(frame)) == SNAPSHOT  # type: ignore[call-overload]

    for name, wanted in (("db", True), ("3.0.18.172.in-addr.arpa", True), ("other", False)):
        assert accepts(here / UDP(dport=40720) / craft.dns_query(name=name, type="A", identifier=1)) is wanted
    assert accepts(here / TCP(dport=40719))
    assert not accepts(here / TCP(dport=40718))


def test_types_are_known_by_any_case_and_by_number() -> None:
    assert plan("db", types=("a", "TYPE28", "AAAA", "mx")).wanted.types == ("A", "AAAA", "MX")
    with pytest.raises(UsageError, match="no type of DNS record"):
        plan("db", types=("A", "NONSENSE"))
