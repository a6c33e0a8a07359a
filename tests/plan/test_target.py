"""A destination as it is typed."""

import pytest

from inspector.errors import UsageError
from inspector.model.question import Protocol, Question
from inspector.plan.target import Target, read_target, refuse_odd

ICMP, TCP, UDP = Protocol.ICMP, Protocol.TCP, Protocol.UDP


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("tomcat02", Target("tomcat02", ICMP, None)),
        ("tomcat02:8080", Target("tomcat02", TCP, 8080)),
        ("tomcat02:8080/tcp", Target("tomcat02", TCP, 8080)),
        ("tomcat02:53/udp", Target("tomcat02", UDP, 53)),
        ("172.17.0.2:65535", Target("172.17.0.2", TCP, 65535)),
        ("gateway:53/udp", Target("gateway", UDP, 53)),
        ("fd00::2", Target("fd00::2", ICMP, None)),
        ("fd00::2:80", Target("fd00::2:80", ICMP, None)),
        ("fe80::1%eth0", Target("fe80::1%eth0", ICMP, None)),
        ("[fd00::2]", Target("fd00::2", ICMP, None)),
        ("[fd00::2]:80", Target("fd00::2", TCP, 80)),
        ("[fe80::1%eth0]:53/udp", Target("fe80::1%eth0", UDP, 53)),
    ],
)
def test_what_it_means(word: str, target: Target) -> None:
    assert read_target(word) == target


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("web:0", "'0' in 'web:0' is no port"),
        ("web:65536", "is no port"),
        ("web:", "'' in 'web:' is no port"),
        ("web:http", "is no port"),
        ("web:+80", "is no port"),
        ("web:٨٠", "is no port"),
        ("web:" + "9" * 5000, "is no port"),
        (":80", "names a port and nobody to ask"),
        ("web/udp", "names a protocol and no port"),
        ("web:80/sctp", "asks for the protocol 'sctp'"),
        ("web:80/", "asks for the protocol ''"),
        ("fd00::2:80/udp", "could mean an address with or without a port"),
        ("web:80:90", "is no IPv6 address, and no name has more than one colon"),
        ("fd00:1:2:3:4:5:6:7:80", "is no IPv6 address"),
        ("[web]:80", "has no IPv6 address in its brackets"),
        ("[10.0.0.1]:80", "has no IPv6 address in its brackets"),
        ("[fd00::2", "has no IPv6 address in its brackets"),
        ("[fd00::2]80", "has no port behind its brackets"),
        ("[fd00::2]/udp", "has no port behind its brackets"),
    ],
)
def test_what_it_cannot_mean(word: str, why: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_target(word)
    assert why in refused.value.message
    assert refused.value.hint


def test_what_a_probe_cannot_be() -> None:
    tcp = Question("web", "db", TCP, 80)
    with pytest.raises(UsageError, match="carries no payload"):
        refuse_odd(tcp, size_given=True)
    refuse_odd(tcp, size_given=False)
    refuse_odd(Question("web", "db", UDP, 80), size_given=True)
    refuse_odd(Question("web", "db", count=1000), size_given=True)
    with pytest.raises(UsageError, match="101 probes are too many for UDP"):
        refuse_odd(Question("web", "db", UDP, 80, count=101), size_given=False)
