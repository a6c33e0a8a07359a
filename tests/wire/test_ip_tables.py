"""Legacy tables: chains, positions, verdicts; and no bytes that raise."""

import struct

import firewall_bytes as make
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire.ip_tables import INFO, Info, read_info, read_table
from inspector.wire.rule_draft import Family

POLICY = make.entry(make.standard(-2))
END = make.chain_head(b"ERROR")
RETURN = make.entry(make.standard(-5))


def written(block: bytes, *hooks: tuple[str, int, int]) -> list[tuple[str, int, str]]:
    """Read a table: chain, position and text of each rule."""
    info = Info(hooks=hooks, size=len(block))
    return [
        (each.chain, each.position, each.draft.text(each.chain)) for each in read_table("nat", Family.IPV4, info, block)
    ]


def test_an_empty_table_holds_policies_alone() -> None:
    block = POLICY + POLICY + END
    assert written(block, ("OUTPUT", 0, 0), ("POSTROUTING", len(POLICY), len(POLICY))) == []


def test_chains_begin_at_hooks_and_at_names_and_jumps_find_them() -> None:
    sized = len(POLICY)
    head = make.chain_head(b"DOCKER")
    docker = 4 * sized + len(head)
    jump, through = make.entry(make.standard(docker)), make.entry(make.standard(2 * sized))
    accept = make.entry(make.standard(-2))
    block = jump + through + accept + POLICY + head + make.entry(make.standard(-1)) + RETURN + END
    assert written(block, ("OUTPUT", 0, 3 * sized)) == [
        ("OUTPUT", 1, "-A OUTPUT -j DOCKER"),
        ("OUTPUT", 2, "-A OUTPUT"),
        ("OUTPUT", 3, "-A OUTPUT -j ACCEPT"),
        ("DOCKER", 1, "-A DOCKER -j DROP"),
    ]


def test_a_verdict_that_leads_nowhere_is_named() -> None:
    block = make.entry(make.standard(5)) + make.entry(make.standard(-9)) + POLICY + END
    assert [text for _, _, text in written(block, ("OUTPUT", 0, 2 * len(POLICY)))] == [
        "-A OUTPUT -j [chain]",
        "-A OUTPUT -j [verdict]",
    ]


@pytest.mark.parametrize(
    ("name", "mask", "expected"),
    [(b"eth0", 5, "-i eth0"), (b"eth+", 3, "-i eth+"), (b"abcdefghijklmno", 16, "-i abcdefghijklmno")],
)
def test_an_interface_may_be_the_beginning_of_a_name(name: bytes, mask: int, expected: str) -> None:
    ip = struct.pack("=16x16s16x16s16xHBB", name, b"\xff" * mask, 0, 0, 0)
    block = make.entry(make.standard(-2), ip=ip) + POLICY + END
    assert written(block, ("INPUT", 0, len(POLICY)))[0][2] == f"-A INPUT {expected} -j ACCEPT"


def test_a_match_that_is_cut_is_named() -> None:
    broken = struct.pack("=H29sB", 4000, b"udp", 0)
    block = make.entry(make.standard(-2), matches=broken) + POLICY + END
    assert written(block, ("OUTPUT", 0, len(block) - len(END) - len(POLICY)))[0][2] == "-A OUTPUT [match] -j ACCEPT"


def test_the_two_answers_fit() -> None:
    raw = INFO.pack(b"nat", 0b11011, 0, 100, 7, 200, 300, 90, 190, 7, 290, 390, 5, 4711)
    assert read_info(raw) == Info(
        hooks=(("PREROUTING", 0, 90), ("INPUT", 100, 190), ("OUTPUT", 200, 290), ("POSTROUTING", 300, 390)), size=4711
    )
    assert read_info(raw[:-1]) is None


@given(st.binary(max_size=800), st.sampled_from([Family.IPV4, Family.IPV6]))
def test_any_bytes_are_read_without_an_exception(raw: bytes, family: Family) -> None:
    if family is not Family.INET:
        assert all(each.draft.text("x") for each in read_table("nat", family, Info((("OUTPUT", 0, 0),), 0), raw))


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"", b"DNAT", b"udp", b"ERROR", b"x\xff"]), st.integers(0, 3), st.binary(max_size=60)
        ),
        max_size=5,
    ),
    st.binary(min_size=84, max_size=84),
)
def test_any_extensions_are_read_without_an_exception(parts: list[tuple[bytes, int, bytes]], ip: bytes) -> None:
    block = b"".join(make.entry(make.extension(*part), matches=make.extension(*part), ip=ip) for part in parts)
    found = list(read_table("nat", Family.IPV4, Info((("OUTPUT", 0, 1),), 0), block))
    assert all(each.draft.text(each.chain).isprintable() for each in found)
