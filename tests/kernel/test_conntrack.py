"""Connection tracking of a real kernel: entries by flow and by port, also among thousands of others."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
from rule_place import Place, new_place

from inspector import netns
from inspector.model.conntrack import Flow
from inspector.model.question import Protocol
from inspector.model.topology import HOST
from inspector.netfilter.conntrack import MOST_ENTRIES, read_flows, read_port

pytestmark = pytest.mark.kernel
LOCAL, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def tracking() -> Iterator[Place]:
    """A namespace that tracks, and sends what is for port 53 of the loopback to port 5300."""
    with new_place() as place:
        place.run("ip link set lo up")
        place.run("iptables -t nat -A OUTPUT -p udp -d 127.0.0.1 --dport 53 -j DNAT --to-destination 127.0.0.2:5300")
        yield place


def sent(place: Place, port: int, count: int = 1) -> list[int]:
    """Send a datagram from each of so many ports."""
    ports = []
    with closing(netns.enter(place.fd, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))) as target:
        target.bind((OTHER, 5300))
        for _ in range(count):
            with closing(netns.enter(place.fd, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))) as sock:
                sock.bind((LOCAL, 0))
                sock.sendto(b"x", (LOCAL, port))
                ports.append(sock.getsockname()[1])
    return ports


def test_an_entry_is_found_from_either_side(tracking: Place) -> None:
    (port,) = sent(tracking, 53)
    came, went = Flow(LOCAL, LOCAL, port, 53), Flow(LOCAL, OTHER, port, 5300)
    for flows in ((came,), (went,), (went.reversed,), (came, went)):
        (entry,) = netns.enter(tracking.fd, lambda flows=flows: read_flows(HOST, Protocol.UDP, flows))
        assert (entry.original, entry.onward) == (came, went)
        assert "dnat" in entry.status
        assert entry.translates
    assert netns.enter(tracking.fd, lambda: read_flows(HOST, Protocol.TCP, (came,))) == ()


def test_only_those_to_a_port_are_listed(tracking: Place) -> None:
    own = sent(tracking, 53)
    sent(tracking, 5400, count=300)
    found = netns.enter(tracking.fd, lambda: read_port(HOST, Protocol.UDP, 4, 53))
    assert [each.original.source_port for each in found] == own
    assert netns.enter(tracking.fd, lambda: read_port(HOST, Protocol.UDP, 6, 53)) == ()
    assert len(netns.enter(tracking.fd, lambda: read_port(HOST, Protocol.UDP, 4, 5400))) <= MOST_ENTRIES


def test_an_echo_has_an_entry_too(tracking: Place) -> None:
    tracking.run("ping -c 1 -e 77 127.0.0.3")
    asked = Flow("127.0.0.1", "127.0.0.3", echo=77, type=8)
    for flow in (asked, asked.reversed):
        (entry,) = netns.enter(tracking.fd, lambda flow=flow: read_flows(HOST, Protocol.ICMP, (flow,)))
        assert entry.original == asked
