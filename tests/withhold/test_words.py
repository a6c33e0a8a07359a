"""Words in sentences, rules and names: the same other one for each, and nobody's for everybody's."""

import re

import pytest

from inspector.withhold.addresses import Addresses
from inspector.withhold.words import Words

ID = "0123456789abcdef" * 4


def words() -> Words:
    addresses = Addresses(b"salt", ())
    names = ("acme-web.1", "Acme", "ACME-IN", "DOCKER-USER", "db", "filter", "MASQUERADE", "dnat")
    return Words(b"salt", addresses, names, ("eth0", "br-0123456789ab", "veth12ab34c", "acme0"), (ID,))


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("acme-web.1 (10.0.0.2) asked Acme", r"[a-z]{4}-[a-z]{3}\.1 \(10\.\d+\.\d+\.\d+\) asked [A-Z][a-z]{3}"),
        ("-i br-0123456789ab -j ACME-IN", r"-i br-[0-9a-f]{12} -j [A-Z]{4}-[A-Z]{2}"),
        ("net.ipv4.conf.veth12ab34c.rp_filter", r"net\.ipv4\.conf\.veth[0-9a-f]{7}\.rp_filter"),
        ('-m comment --comment "for ACME" -j DROP', r'-m comment --comment "redacted" -j DROP'),
        ("tcp dport 80 comment mine drop", r'tcp dport 80 comment "redacted" drop'),
        ("02:42:ac:11:00:02 is behind port acme0", r"([0-9a-f]{2}:){5}[0-9a-f]{2} is behind port [a-z]{4}\d"),
        (ID[:12], r"[0-9a-f]{12}"),
        ("fd00::1/64, fe80::1%eth0", r"fd[0-9a-f:]+/64, fe80::[0-9a-f:]+%eth0"),
    ],
)
def test_what_tells_something_is_replaced(text: str, shape: str) -> None:
    other = words().text(text)
    assert re.fullmatch(shape, other), other
    assert other != text


@pytest.mark.parametrize(
    "text",
    [
        "-i eth0 -j DOCKER-USER",
        "-o eth0 -j MASQUERADE",
        "tcp dport 80 dnat to 127.0.0.1:80",
        "127.0.0.11, asked for db A: NXDOMAIN",
        "the filter table of host",
        "12:34:56",
        "took 1234567890 ns, version 20.10.24",
    ],
)
def test_what_is_everybody_s_stays(text: str) -> None:
    assert words().text(text) == text


def test_the_start_of_an_identifier_is_the_start_of_the_other() -> None:
    whole = words().text(ID)
    assert len(whole) == len(ID)
    assert words().text(f"br-{ID[:12]}") == f"br-{whole[:12]}"
    assert words().text(ID[:20]) == whole[:20]


def test_a_name_is_alike_in_text_and_in_messages() -> None:
    assert words().label(b"acme-web").decode() == words().text("acme-web")
    assert words().label(b"AcMe").lower() == words().label(b"acme")
