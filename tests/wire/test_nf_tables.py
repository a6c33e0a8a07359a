"""Rules of nf_tables: the same text, whoever wrote them; and no bytes that raise."""

import struct

import firewall_bytes as make
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import nf_tables, nfnetlink
from inspector.wire.rule_draft import Draft, Family

NETWORK, TRANSPORT = 1, 2
UDP = (make.meta(16), make.cmp(b"\x11"))
TO_DNS = (make.payload(NETWORK, 16, 4), make.cmp(bytes([127, 0, 0, 11])))
PORT_53 = (make.payload(TRANSPORT, 2, 2), make.cmp(struct.pack(">H", 53)))
RANGE2 = struct.pack(
    "=I16s16s2s2s2s2x", 3, bytes([127, 0, 0, 11]), bytes([127, 0, 0, 11]), b"\x9f\x10", b"\x9f\x10", b""
)


def decode(*expressions: tuple[str, make.Attributes], family: int = 2) -> Draft:
    """Decode one rule."""
    (message,) = nfnetlink.messages(make.rule(*expressions, family=family))
    rule = nfnetlink.read_rule(message)
    assert rule is not None
    return nf_tables.decode(rule)


def text(*expressions: tuple[str, make.Attributes], family: int = 2) -> str:
    """Decode one rule, and leave out where it stands."""
    return decode(*expressions, family=family).text("OUTPUT").removeprefix("-A OUTPUT").strip()


@pytest.mark.parametrize("protocol", [UDP, (make.payload(NETWORK, 9, 1), make.cmp(b"\x11"))])
def test_the_embedded_dns_is_sent_elsewhere(protocol: tuple[tuple[str, make.Attributes], ...]) -> None:
    """As iptables-nft 1.8.9 and 1.8.13 write it."""
    draft = decode(*protocol, *TO_DNS, *PORT_53, ("counter", []), make.xt("target", "DNAT", 2, RANGE2))
    assert draft.text("DOCKER_OUTPUT") == (
        "-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40720"
    )
    assert (draft.plain("-d"), draft.plain("-p"), draft.plain("--dport")) == ("127.0.0.11/32", "udp", "53")
    assert (draft.target, draft.to_address, draft.to_port) == ("DNAT", "127.0.0.11", 40720)


def test_the_same_by_nft_itself() -> None:
    where = [(1, make.be32(1)), (2, make.be32(2)), (3, make.be32(1)), (4, make.be32(1))]
    ports = [(5, make.be32(2)), (6, make.be32(2)), (7, make.be32(3))]
    registers = (make.immediate(bytes([127, 0, 0, 11]), 1), make.immediate(b"\x9f\x10", 2))
    draft = decode(*TO_DNS, *UDP, *PORT_53, *registers, ("nat", [*where, *ports]))
    assert draft.text("x") == "-A x -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40720"
    assert (draft.to_address, draft.to_port) == ("127.0.0.11", 40720)


@pytest.mark.parametrize(
    ("expressions", "written"),
    [
        ((make.payload(NETWORK, 12, 1), make.cmp(b"\x0a", 1)), "! -s 10.0.0.0/8"),
        ((make.payload(NETWORK, 16, 2), make.cmp(b"\xac\x12")), "-d 172.18.0.0/16"),
        (
            (make.payload(NETWORK, 16, 4), make.bitwise(b"\xff\xff\xfe\0"), make.cmp(b"\x0a\1\2\0")),
            "-d 10.1.2.0/23",
        ),
        (
            (make.payload(NETWORK, 12, 4), make.bitwise(b"\xff\0\xff\0"), make.cmp(b"\x0a\0\0\0")),
            "-s 10.0.0.0/255.0.255.0",
        ),
        ((make.payload(NETWORK, 12, 8), make.cmp(b"\x0a\0\0\1\x0a\0\0\2")), "-s 10.0.0.1/32 -d 10.0.0.2/32"),
        ((make.meta(6), make.cmp(b"eth0".ljust(16, b"\0"))), "-i eth0"),
        ((make.meta(7), make.cmp(b"br-", 1)), "! -o br-+"),
        ((*UDP, make.payload(TRANSPORT, 0, 4), make.cmp(b"\0\x02\0\x35")), "-p udp -m udp --sport 2 --dport 53"),
        (
            (*UDP, make.payload(TRANSPORT, 2, 2), make.cmp(b"\0\1", 5), make.cmp(b"\0\x09", 3)),
            "-p udp -m udp --dport 1:9",
        ),
        ((*UDP, make.payload(TRANSPORT, 2, 2), make.cmp(b"\0\1", 4)), "-p udp -m udp --dport 2:65535"),
        ((*UDP, make.payload(TRANSPORT, 0, 2), make.cmp(b"\0\x09", 2)), "-p udp -m udp --sport 0:8"),
        ((*UDP, make.payload(TRANSPORT, 2, 2), make.cmp(b"\0\x35", 1)), "-p udp -m udp ! --dport 53"),
        ((make.payload(TRANSPORT, 2, 2), make.cmp(b"\0\x35")), "-m [protocol] --dport 53"),
        ((make.verdict(-3, b"DOCKER"),), "-j DOCKER"),
        ((make.verdict(-4, b"DOCKER"),), "-g DOCKER"),
        ((make.verdict(-5),), "-j RETURN"),
        ((make.verdict(1),), "-j ACCEPT"),
        ((make.verdict(0),), "-j DROP"),
        ((make.verdict(-1),), ""),
        ((make.verdict(-77),), "-j [verdict]"),
        ((("masq", []),), "-j MASQUERADE"),
        ((("masq", [(1, make.be32(16))]),), "-j MASQUERADE --random-fully"),
        ((make.immediate(b"\0\x50", 1), ("redir", [(1, make.be32(1))])), "-j REDIRECT --to-ports 80"),
        ((make.immediate(b"\0\x50", 8), ("redir", [(1, make.be32(1))])), "-j REDIRECT --to-ports 80"),
        (
            (("fib", [(1, make.be32(1)), (2, make.be32(3)), (3, make.be32(2))]), make.cmp(struct.pack("=I", 2))),
            "-m addrtype --dst-type LOCAL",
        ),
        (
            (
                ("ct", [(1, make.be32(1)), (2, make.be32(0))]),
                make.bitwise(struct.pack("=I", 6)),
                make.cmp(bytes(4), 1),
            ),
            "-m conntrack --ctstate RELATED,ESTABLISHED",
        ),
    ],
)
def test_what_is_compared_becomes_an_option(expressions: tuple[tuple[str, make.Attributes], ...], written: str) -> None:
    assert text(*expressions) == written


@pytest.mark.parametrize(
    ("expressions", "written"),
    [
        ((make.payload(NETWORK, 8, 1), make.cmp(b"\x40")), "[payload]"),
        ((make.payload(TRANSPORT, 13, 1), make.cmp(b"\x02")), "[payload]"),
        ((make.meta(13), make.cmp(bytes(4))), "[meta]"),
        ((("quota", []), make.verdict(0)), "[quota] -j DROP"),
        ((make.xt("match", "u32", 0, bytes(24)), make.verdict(-5)), "[u32] -j RETURN"),
        ((make.xt("match", "udp", 0, b"cut"),), "[udp]"),
        ((make.xt("target", "NETMAP", 0, bytes(20)),), "-j NETMAP [NETMAP]"),
        ((make.xt("target", "DNAT", 2, b"cut"),), "-j DNAT [DNAT]"),
        ((make.xt("target", "DNAT", 9, RANGE2),), "-j DNAT [DNAT]"),
        ((make.payload(NETWORK, 16, 4), make.bitwise(b"\xff" * 4, b"\1\0\0\0"), make.cmp(bytes(4))), "[bitwise]"),
        ((make.payload(NETWORK, 12, 4), ("lookup", [(1, b"set\0"), (2, make.be32(1))])), "[lookup]"),
        ((("\x1b[2J", []),), "[\\x1b[2J]"),
    ],
)
def test_what_cannot_be_read_is_named(expressions: tuple[tuple[str, make.Attributes], ...], written: str) -> None:
    assert text(*expressions) == written


def test_a_target_that_a_map_chooses_is_not_guessed() -> None:
    """The address was in the register before the map wrote to it."""
    stale = make.immediate(bytes([10, 0, 0, 1]), 1)
    lookup = ("lookup", [(1, b"map\0"), (2, make.be32(1)), (3, make.be32(1))])
    draft = decode(stale, lookup, ("nat", [(1, make.be32(1)), (3, make.be32(1))]))
    assert draft.text("x") == "-A x [lookup] -j DNAT [nat]"
    assert (draft.to_address, draft.to_port) == (None, None)


def test_a_range_whose_end_is_not_known_is_not_guessed() -> None:
    known = make.immediate(bytes([10, 0, 0, 1]), 1)
    assert text(known, ("nat", [(1, make.be32(1)), (3, make.be32(1)), (4, make.be32(2))])) == "-j DNAT [nat]"


def test_inet_tells_the_family_by_what_it_compares() -> None:
    inet = 1
    assert text(*TO_DNS, family=inet) == "[payload]"
    version = (make.meta(15), make.cmp(b"\x02"))
    draft = decode(*version, *TO_DNS, family=inet)
    assert (draft.family, draft.text("x")) == (Family.IPV4, "-A x -d 127.0.0.11/32")
    six = (make.meta(15), make.cmp(b"\x0a"), make.payload(NETWORK, 24, 8), make.cmp(b"\xfd" + bytes(7)))
    assert text(*six, family=inet) == "-d fd00::/64"


def test_negated_and_ranged_values_are_not_plain() -> None:
    draft = decode(
        *UDP, make.payload(TRANSPORT, 2, 2), make.cmp(b"\0\x35", 1), make.payload(NETWORK, 16, 4), make.cmp(bytes(4), 1)
    )
    assert (draft.plain("--dport"), draft.plain("-d"), draft.plain("-p")) == (None, None, "udp")


def test_a_rule_of_an_unknown_family_is_left_out() -> None:
    (message,) = nfnetlink.messages(make.rule(family=12))
    assert nfnetlink.read_rule(message) is None


@given(st.binary(max_size=300))
def test_any_bytes_are_read_without_an_exception(raw: bytes) -> None:
    for message in nfnetlink.messages(raw):
        nfnetlink.error_number(message)
        nfnetlink.read_chain(message)
        rule = nfnetlink.read_rule(message)
        assert rule is None or nf_tables.decode(rule).text("x")


NAMES = st.sampled_from(
    [
        "payload",
        "meta",
        "ct",
        "fib",
        "cmp",
        "range",
        "bitwise",
        "immediate",
        "match",
        "target",
        "nat",
        "masq",
        "redir",
        "x",
    ]
)
VALUES = st.one_of(  # 8 x 7 of the longest still fit into one attribute (64 KiB)
    st.integers(0, 17).map(make.be32),
    st.binary(max_size=24),
    st.binary(max_size=24).map(make.data),
    st.just(bytes(900)),
    st.just(make.data(b"\xff" * 900)),
)
EXPRESSIONS = st.tuples(NAMES, st.lists(st.tuples(st.integers(1, 7), VALUES), max_size=7))


@given(st.lists(EXPRESSIONS, max_size=8), st.sampled_from([1, 2, 10]))
def test_any_expressions_are_read_without_an_exception(
    expressions: list[tuple[str, make.Attributes]], family: int
) -> None:
    draft = decode(*expressions, family=family)
    assert draft.text("x").isprintable()


@given(st.integers(0, 400))
def test_a_rule_that_is_cut_anywhere_is_read_as_far_as_it_goes(end: int) -> None:
    whole = make.rule(*UDP, *TO_DNS, *PORT_53, make.xt("target", "DNAT", 2, RANGE2))
    raw = struct.pack("=I", min(end, len(whole))) + whole[4:end]
    for message in nfnetlink.messages(raw):
        rule = nfnetlink.read_rule(message)
        assert rule is None or nf_tables.decode(rule).text("x")
