"""Which of several addresses a program would take first."""

from topologies import planned, read

from inspector.model.lookup import Libc, ResolverSetup
from inspector.model.names import Mechanism, NameReport
from inspector.model.topology import Topology
from inspector.plan.parties import find_source
from inspector.plan.preference import preferred

FOUR, SIX, GLOBAL = "172.18.0.3", "fd00:18::3", "2001:db8::3"


def world(*subnets: str) -> Topology:
    return read(
        f"""
[networks.app]
bridge = "br-app"
subnets = {list(subnets)}
[containers.web]
networks = {{ app = {["172.18.0.2", "fd00:18::2"][: len(subnets)]} }}
"""
    )


def order(topology: Topology, *addresses: str, libc: Libc = Libc.GLIBC) -> list[str]:
    report = NameReport("db", ("A", "AAAA"), ResolverSetup(libc, "assumed"), Mechanism.EMBEDDED_DNS, addresses)
    return preferred(topology, find_source(topology, "web"), report)


BOTH = ("172.18.0.1/16", "fd00:18::1/64")


def test_glibc_takes_ipv6_where_there_is_a_way() -> None:
    assert order(world(*BOTH), FOUR, SIX) == [SIX, FOUR]
    assert order(world(BOTH[0]), FOUR, SIX) == [FOUR, SIX], "there is no way to the IPv6 one"


def test_musl_takes_a_unique_local_address_last() -> None:
    assert order(world(*BOTH), FOUR, SIX, libc=Libc.MUSL) == [FOUR, SIX]


def test_the_order_of_the_answer_decides_among_equals() -> None:
    assert order(world(BOTH[0]), "172.18.0.9", FOUR) == ["172.18.0.9", FOUR]


def test_a_trace_probes_the_address_that_the_source_got() -> None:
    topology = world(BOTH[0])
    assert planned(topology, "web", "172.18.0.1").resolution.mechanism == "address"
