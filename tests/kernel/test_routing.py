"""Routing questions, put to a real kernel in a namespace of the test's own."""

import errno
import socket
import subprocess
from collections.abc import Iterator

import pytest

from inspector import netns
from inspector.discover.routing import ask_routing
from inspector.model.path import Direction
from inspector.model.routing import RouteAnswer, RouteQuery, RoutingRecord
from inspector.model.topology import EngineIdentity, LinkKey, Sandbox, SandboxId, Topology

pytestmark = pytest.mark.kernel

BOX = SandboxId("box")
NOTHING = Topology(EngineIdentity("none", "0"), (Sandbox(BOX, 1, ()),), (), ())
LINES = """
ip link set lo up
ip link add left type veth peer name right
ip addr add 10.1.0.1/24 dev left
ip addr add 10.2.0.1/24 dev right
ip link set left up
ip link set right up
ip route add 10.9.0.0/16 via 10.1.0.2 mtu 1400
ip route add unreachable 10.8.0.0/16
ip route add 10.7.0.0/16 via 10.2.0.2 table 77
ip rule add from 10.2.0.1 lookup 77
ip rule add fwmark 0x5/0xff to 10.6.0.0/16 iif left lookup 78 priority 99
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.left.rp_filter=1
"""


@pytest.fixture(scope="module")
def box() -> Iterator[netns.Namespace]:
    """Give a namespace with two links, routes of several kinds, and policy rules."""
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-ec", f"{LINES}\necho ready; read end"], stdin=-1, stdout=-1
    ) as it:
        assert it.stdout
        assert it.stdin
        assert it.stdout.readline() == b"ready\n"
        with netns.open_of(it.pid) as namespace:
            yield namespace
        it.stdin.close()


def ifindex(box: netns.Namespace, name: str) -> int:
    return netns.enter(box.fd, lambda: socket.if_nametoindex(name))


def consult(box: netns.Namespace, *queries: RouteQuery, settings: tuple[str, ...] = ()) -> RoutingRecord:
    return ask_routing({BOX: box.fd}, NOTHING, queries, [(BOX, each) for each in settings], 4)


def answer(box: netns.Namespace, destination: str, source: str | None = None, inbound: str = "") -> RouteAnswer:
    key = LinkKey(BOX, ifindex(box, inbound)) if inbound else None
    (found,) = consult(box, RouteQuery(Direction.REQUEST, BOX, destination, source, key, inbound)).answers
    return found


def test_a_route_by_a_gateway(box: netns.Namespace) -> None:
    found = answer(box, "10.9.1.1")
    assert (found.kind, found.gateway, found.source, found.table, found.mtu) == (
        "unicast",
        "10.1.0.2",
        "10.1.0.1",
        254,
        1400,
    )
    assert found.outbound == LinkKey(BOX, ifindex(box, "left"))
    assert str(found).startswith("10.9.1.1 via 10.1.0.2 dev if")


def test_an_address_of_its_own(box: netns.Namespace) -> None:
    found = answer(box, "10.1.0.1")
    assert (found.kind, found.error) == ("local", 0)
    assert str(found).startswith("local dev ")


@pytest.mark.parametrize(
    ("destination", "number"), [("203.0.113.1", errno.ENETUNREACH), ("10.8.1.1", errno.EHOSTUNREACH)]
)
def test_no_way(box: netns.Namespace, destination: str, number: int) -> None:
    found = answer(box, destination)
    assert (found.error, found.outbound) == (number, None)
    assert str(found)


def test_a_policy_rule_chooses_the_table(box: netns.Namespace) -> None:
    assert answer(box, "10.7.0.9").error == errno.ENETUNREACH
    found = answer(box, "10.7.0.9", source="10.2.0.1")
    assert (found.table, found.gateway) == (77, "10.2.0.2")
    assert str(found).endswith("table 77")


def test_the_reverse_path_filter_is_consulted(box: netns.Namespace) -> None:
    assert answer(box, "10.2.0.2", source="10.1.0.2", inbound="left").error == 0
    found = answer(box, "10.2.0.2", source="10.2.0.7", inbound="left")
    # The kernel hands the drop reason through as EINVAL from Linux 6.14 on, and said EXDEV before.
    assert found.error in {errno.EXDEV, errno.EINVAL}
    assert "reverse-path filter" in found.why


def test_policy_rules_are_written_as_ip_rule_does(box: netns.Namespace) -> None:
    rules = consult(box, RouteQuery(Direction.REQUEST, BOX, "10.9.1.1")).rules
    shown = subprocess.check_output(
        ["nsenter", f"--net=/proc/self/fd/{box.fd}", "ip", "rule"], pass_fds=[box.fd], text=True
    )
    assert [each.text for each in rules] == [" ".join(line.split()) for line in shown.splitlines()]
    assert sum(not each.ordinary for each in rules) == 2


def test_settings_are_those_of_the_namespace(box: netns.Namespace) -> None:
    query = RouteQuery(Direction.REQUEST, BOX, "10.9.1.1")
    read = consult(box, query, settings=("net/ipv4/conf/left/rp_filter", "net.ipv4.ip_forward", "net/no/such")).settings
    assert [each.value for each in read] == ["1", "1", None]


def test_a_stack_that_is_not_open_says_nothing() -> None:
    query = RouteQuery(Direction.REQUEST, BOX, "10.9.1.1")
    assert ask_routing({}, NOTHING, [query], [], 4) == RoutingRecord()
