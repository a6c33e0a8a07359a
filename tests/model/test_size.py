"""How many bytes a probe has on the wire, by its protocol."""

import pytest
from topologies import planned, read

from inspector.model.question import Protocol
from inspector.model.size import headers_length, packet_length

TWO, SIX = read("two-networks.toml"), read("dual-stack.toml")


@pytest.mark.parametrize(
    ("protocol", "family", "length"),
    [
        (Protocol.ICMP, 4, 20 + 8 + 100),
        (Protocol.ICMP, 6, 40 + 8 + 100),
        (Protocol.UDP, 4, 20 + 8 + 100),
        (Protocol.TCP, 4, 20 + 20),
        (Protocol.TCP, 6, 40 + 20),
    ],
)
def test_a_probe_has_the_headers_of_its_protocol(protocol: Protocol, family: int, length: int) -> None:
    port = None if protocol is Protocol.ICMP else 80
    world, ends = (SIX, ("left", "right")) if family == 6 else (TWO, ("web", "db"))
    plan = planned(world, *ends, protocol=protocol, port=port, size=100, family=family)
    assert packet_length(plan) == length
    assert headers_length(plan) == length - (0 if protocol is Protocol.TCP else 100)
