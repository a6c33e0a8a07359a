"""Conditions are read back from a line of `iptables-save`."""

import pytest

from inspector.wire.rule_words import Condition, conditions, may_match


def test_conditions_are_read() -> None:
    assert conditions('! -s 10.0.0.0/8 -i docker0 -m comment --comment "no -d 1.2.3.4/32 here" -p tcp -j DROP') == (
        Condition("-s", "10.0.0.0/8", negated=True),
        Condition("-i", "docker0", negated=False),
        Condition("-p", "tcp", negated=False),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-j DROP", True),
        ("-s 10.0.0.2/32 -d 10.0.0.0/24 -p icmp -j DROP", True),
        ("! -s 10.0.0.2/32 -j DROP", False),
        ("! -s 10.0.0.9/32 -j DROP", True),
        ("-i eth+ -j DROP", True),
        ("-i veth1 -j DROP", False),
        ("! -i eth0 -j DROP", True),
        ("! -p tcp -j DROP", True),
        ("-p icmp -m icmp --icmp-type 8/0 -j DROP", True),
        ("-p icmp -m icmp --icmp-type 3 -j DROP", False),
        ("-s fd00::/64 -j DROP", False),
        ("-s 10.0.0.0/255.0.255.0 -j DROP", True),
    ],
)
def test_what_may_match(text: str, *, expected: bool) -> None:
    found = may_match(
        conditions(text), source="10.0.0.2", destination="10.0.0.3", protocol="icmp", kind="8", links={"eth0"}
    )
    assert found is expected
