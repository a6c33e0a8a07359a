"""Matches and targets of x_tables, as both kinds of tables hold them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire.rule_draft import Draft, Family
from inspector.wire.xt import read_match, read_target
from inspector.wire.xt_matches import READERS as MATCHES
from inspector.wire.xt_targets import READERS as TARGETS

A, B = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 9])
A6 = b"\xfd" + bytes(14) + b"\1"


def match(name: str, revision: int, data: bytes) -> str:
    """Write one match."""
    draft = Draft(Family.IPV4)
    read_match(draft, name, revision, data)
    return draft.text("x").removeprefix("-A x ")


def target(name: str, revision: int, data: bytes, family: Family = Family.IPV4) -> str:
    """Write one target."""
    draft = Draft(family)
    read_target(draft, name, revision, data)
    return draft.text("x").removeprefix("-A x -j ")


def conntrack(flags: int, inverted: int, states: int) -> bytes:
    return bytes(146) + struct.pack("=HHHH", flags, inverted, states, 0)


def compat(flags: int, low: bytes = A, high: bytes = A, first: int = 0, last: int = 0) -> bytes:
    """Build nf_nat_ipv4_multi_range_compat."""
    return struct.pack("=II4s4s", 1, flags, low, high) + struct.pack(">HH", first, last)


@pytest.mark.parametrize(
    ("name", "revision", "data", "expected"),
    [
        ("udp", 0, struct.pack("=HHHHB", 0, 65535, 53, 53, 0), "-m udp --dport 53"),
        ("udp", 0, struct.pack("=HHHHB", 5, 7, 0, 65535, 1), "-m udp ! --sport 5:7"),
        ("tcp", 0, struct.pack("=HHHHBBBB", 0, 65535, 0, 65535, 0, 0, 0, 0), "-m tcp"),
        (
            "tcp",
            0,
            struct.pack("=HHHHBBBB", 1, 2, 3, 3, 5, 0x17, 0x02, 4),
            "-m tcp --sport 1:2 --dport 3 --tcp-option 5 ! --tcp-flags FIN,SYN,RST,ACK SYN",
        ),
        ("tcp", 0, struct.pack("=HHHHBBBB", 0, 65535, 0, 65535, 0, 0x80, 0, 0), "[tcp]"),
        ("addrtype", 1, struct.pack("=HHI", 0, 4, 0), "-m addrtype --dst-type LOCAL"),
        (
            "addrtype",
            1,
            struct.pack("=HHI", 2, 6, 2 | 4),
            "-m addrtype --src-type UNICAST ! --dst-type UNICAST,LOCAL --limit-iface-in",
        ),
        ("addrtype", 0, struct.pack("=HHII", 4, 0, 1, 0), "-m addrtype ! --src-type LOCAL"),
        ("addrtype", 1, struct.pack("=HHI", 0, 0x8004, 0), "[addrtype]"),
        ("conntrack", 3, conntrack(1, 0, 6), "-m conntrack --ctstate RELATED,ESTABLISHED"),
        ("conntrack", 3, conntrack(0x2001, 1, 8), "-m state ! --state NEW"),
        ("conntrack", 2, conntrack(1, 0, 0x181), "-m conntrack --ctstate INVALID,UNTRACKED,DNAT"),
        ("conntrack", 3, conntrack(3, 0, 6), "-m conntrack --ctstate RELATED,ESTABLISHED --ctproto 0"),
        ("conntrack", 3, conntrack(3, 0, 1 << 12), "[conntrack]"),
        ("conntrack", 0, conntrack(1, 0, 6), "[conntrack]"),
        ("comment", 0, b"plain-one_2\0rest", "-m comment --comment plain-one_2"),
        ("comment", 0, b'say "a\\b"\0', '-m comment --comment "say \\"a\\\\b\\""'),
        ("comment", 0, b"e\x1b[2J", '-m comment --comment "e\\\\x1b[2J"'),
        ("u32", 0, bytes(24), "[u32]"),
    ],
)
def test_a_match(name: str, revision: int, data: bytes, expected: str) -> None:
    assert match(name, revision, data) == expected


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("DNAT", compat(1), "DNAT --to-destination 10.0.0.1"),
        ("DNAT", compat(3, A, B, 5, 7), "DNAT --to-destination 10.0.0.1-10.0.0.9:5-7"),
        ("SNAT", compat(2, first=53, last=53), "SNAT --to-source :53"),
        ("SNAT", compat(1 | 4 | 8 | 16), "SNAT --to-source 10.0.0.1 --random --random-fully --persistent"),
        ("MASQUERADE", compat(0), "MASQUERADE"),
        ("MASQUERADE", compat(2 | 16, first=5, last=9), "MASQUERADE --to-ports 5-9 --random-fully"),
        ("REDIRECT", compat(2, first=80, last=80), "REDIRECT --to-ports 80"),
        ("DNAT", compat(1 | 64), "DNAT [DNAT]"),
        ("DNAT", compat(1)[:-1], "DNAT [DNAT]"),
        ("e\x1b", b"", "e\\x1b [e\\x1b]"),
    ],
)
def test_a_target_of_ipv4(name: str, data: bytes, expected: str) -> None:
    assert target(name, 0, data) == expected


def test_a_target_of_ipv6() -> None:
    plain = struct.pack("=I16s16s2s2s", 3, A6, A6, b"\0\x50", b"\0\x50")
    assert target("DNAT", 1, plain, Family.IPV6) == "DNAT --to-destination [fd00::1]:80"
    based = struct.pack("=I16s16s2s2s2s", 35, A6, A6, b"\0\x50", b"\0\x59", b"\0\x07")
    assert target("DNAT", 2, based, Family.IPV6) == "DNAT --to-destination [fd00::1]:80-89/7"


@given(
    st.sampled_from(
        [
            *("tcp", "udp", "addrtype", "conntrack", "comment", "set", "DNAT", "SNAT", "MASQUERADE", "REDIRECT"),
            *sorted({name for name, _ in (*MATCHES, *TARGETS)}),
        ]
    ),
    st.integers(0, 4),
    st.binary(max_size=300),
    st.sampled_from([Family.IPV4, Family.IPV6]),
)
def test_any_data_is_read_without_an_exception(name: str, revision: int, data: bytes, family: Family) -> None:
    assert match(name, revision, data).isprintable()
    assert target(name, revision, data, family).isprintable()
