"""Rules of nf_tables in nft's own words; what nft prints itself is compared in tests/kernel/test_chains.py."""

from collections.abc import Iterable

import firewall_bytes as make
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import nfnetlink
from inspector.wire.nft_text import Words, write
from inspector.wire.rule_draft import Names

INET, IPV4, IPV6 = 1, 2, 10
NETWORK, TRANSPORT = 1, 2
TCP = (make.meta(16), make.cmp(b"\6"))
PORT_80 = (make.payload(TRANSPORT, 2, 2), make.cmp(b"\0\x50"))
DROP = make.verdict(0)
UNREAD = ("payload", "quota", "limit", "meta", "\\x1b")


def words(
    *expressions: tuple[str, make.Attributes], family: int = INET, names: Names | None = None, comment: bytes = b""
) -> Words:
    (message,) = nfnetlink.messages(make.rule(*expressions, family=family, comment=comment))
    rule = nfnetlink.read_rule(message)
    assert rule is not None
    return write(rule, names or Names())


def element(key: bytes, flags: int = 0, code: int | None = None) -> bytes:
    found = [(1, make.data(key)), (3, make.be32(flags))]
    if code is not None:
        found.append((2, make.nested([(2, make.nested([(1, make.be32(code))]))])))
    return make.nested(found)


def elements(*values: bytes) -> Names:
    return Names(elements=lambda _name: [make.nested((1, each) for each in values)])


def lookup(name: bytes, *, verdict: bool = False, negated: bool = False) -> tuple[str, make.Attributes]:
    found = [(1, name + b"\0"), (2, make.be32(1)), (5, make.be32(int(negated)))]
    return "lookup", [*found, (3, make.be32(0))] if verdict else found


@pytest.mark.parametrize(
    ("expressions", "written"),
    [
        ((*TCP, *PORT_80, DROP), "tcp dport 80 drop"),
        ((*TCP, DROP), "meta l4proto tcp drop"),
        ((make.meta(15), make.cmp(b"\2"), *TCP, *PORT_80, DROP), "meta nfproto ipv4 tcp dport 80 drop"),
        (
            (make.meta(15), make.cmp(b"\2"), make.payload(NETWORK, 12, 3), make.cmp(b"\x0a\0\0"), DROP),
            "ip saddr 10.0.0.0/24 drop",
        ),
        ((make.payload(NETWORK, 12, 4), make.cmp(b"\x0a\0\0\1"), DROP), "[payload] drop"),
        ((make.meta(6), make.cmp(b"eth")), 'iifname "eth*"'),
        ((make.meta(6), make.cmp(b"e\x1b[2J".ljust(16, b"\0"), 1)), 'iifname != "e\\x1b[2J"'),
        ((("quota", []), make.verdict(-3, b"other")), "[quota] jump other"),
        ((("reject", [(1, make.be32(2)), (2, b"\1")]),), "reject"),
        ((("reject", [(1, make.be32(1)), (2, b"\0")]),), "reject with tcp reset"),
        ((("limit", [(1, bytes(8)), (2, bytes(8))]), DROP), "[limit] drop"),
        ((("\x1b[2J", []),), "[\\x1b[2J]"),
        (
            (make.immediate(b"\5\0\0\0", 1), ("meta", [(2, make.be32(3)), (3, make.be32(1))])),
            "meta mark set 0x00000005",
        ),
        ((("meta", [(2, make.be32(3)), (3, make.be32(1))]),), "[meta]"),
    ],
)
def test_what_nft_writes(expressions: tuple[tuple[str, make.Attributes], ...], written: str) -> None:
    found = words(*expressions)
    assert found.text == written
    assert found.whole == (not any(f"[{each}" in written for each in UNREAD))


def test_target_counter_and_comment() -> None:
    counter = ("counter", [(1, bytes(7) + b"\7"), (2, bytes(7) + b"\3")])
    found = words(counter, make.verdict(-3, b"other"), comment=b"no\x1b[31m")
    assert found == Words('counter packets 3 bytes 7 jump other comment "no\\x1b[31m"', "other", 3, whole=True)


@pytest.mark.parametrize(
    ("names", "expression", "written"),
    [
        (elements(element(b"\1\xbb"), element(b"\0\x50")), lookup(b"__set0"), "tcp dport { 80, 443 } drop"),
        (
            elements(element(b"\0\x50"), element(b"\0\x5a", 1), element(b"\4\0"), element(b"\0\0", 1)),
            lookup(b"__set0", negated=True),
            "tcp dport != { 80-89, 1024-65535 } drop",
        ),
        (
            elements(element(b"\0\x50", code=1), element(b"\0\0", 2, code=0)),
            lookup(b"__map0", verdict=True),
            "tcp dport vmap { * : drop, 80 : accept } drop",
        ),
        (Names(), lookup(b"mine"), "tcp dport @mine drop"),
        (Names(), lookup(b"__set0"), "meta l4proto tcp [lookup] drop"),
        (elements(element(b"\0")), lookup(b"__set0"), "meta l4proto tcp [lookup] drop"),
    ],
)
def test_sets(names: Names, expression: tuple[str, make.Attributes], written: str) -> None:
    assert words(*TCP, make.payload(TRANSPORT, 2, 2), expression, DROP, names=names).text == written


def test_a_large_set_says_how_much_is_left_out() -> None:
    many = elements(*(element(each.to_bytes(2, "big")) for each in range(1, 100)))
    found = words(*TCP, make.payload(TRANSPORT, 2, 2), lookup(b"__set0"), names=many).text
    assert found.endswith("63, 64, … 35 more }")


NAMES = st.sampled_from(
    [
        *("payload", "meta", "ct", "fib", "cmp", "range", "bitwise", "byteorder", "immediate", "lookup", "counter"),
        *("nat", "masq", "redir", "limit", "log", "reject", "queue", "connlimit", "objref", "notrack", "x"),
    ]
)
VALUES = st.one_of(
    st.integers(0, 25).map(make.be32),
    st.binary(max_size=24),
    st.binary(max_size=24).map(make.data),
    st.just(b"__set0\0"),
)
EXPRESSIONS = st.tuples(NAMES, st.lists(st.tuples(st.integers(1, 7), VALUES), max_size=7))


@given(
    st.lists(EXPRESSIONS, max_size=8),
    st.sampled_from([1, 2, 3, 5, 7, 10]),
    st.lists(st.binary(max_size=60), max_size=3),
)
def test_any_expressions_are_written_without_an_exception(
    expressions: Iterable[tuple[str, make.Attributes]], family: int, lists: list[bytes]
) -> None:
    assert words(*expressions, family=family, names=Names(elements=lambda _name: lists)).text.isprintable()
