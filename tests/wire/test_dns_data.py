"""Data of records: as dig writes it, and harmless."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import dns_words
from inspector.wire.dns_data import MAX_SHOWN, data_text, unknown_text
from inspector.wire.dns_name import DamagedError, Names, encode_name

NAMED = (b"\7example\3com\0", b"\xc0\x0c")
"""At byte 12 of each message here, and a pointer to it."""


def text(kind: int, data: bytes, behind: bytes = b"") -> str:
    message = bytes(12) + NAMED[0] + data + behind
    start = 12 + len(NAMED[0])
    return data_text(Names(message), kind, start, start + len(data))


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (dns_words.A, bytes((10, 0, 0, 3)), "10.0.0.3"),
        (dns_words.AAAA, bytes.fromhex("20010db8000000000000000000000001"), "2001:db8::1"),
        (dns_words.CNAME, b"\3www" + NAMED[1], "www.example.com."),
        (dns_words.NS, encode_name("ns.Example.org"), "ns.Example.org."),
        (dns_words.PTR, b"\0", "."),
        (dns_words.DNAME, NAMED[1], "example.com."),
        (dns_words.MX, b"\0\x0a\4mail" + NAMED[1], "10 mail.example.com."),
        (dns_words.SRV, struct.pack("!HHH", 1, 2, 8080) + encode_name("a.b"), "1 2 8080 a.b."),
        (
            dns_words.SOA,
            b"\2ns" + NAMED[1] + encode_name(r"first\.last.example.com") + struct.pack("!5I", 2024010101, 2, 3, 4, 5),
            r"ns.example.com. first\.last.example.com. 2024010101 2 3 4 5",
        ),
        (dns_words.TXT, b'\3abc\0\4d"\\e', r'"abc" "" "d\"\\e"'),
        (dns_words.TXT, b"\x0ev=spf1; a\n\x1b[2J", r'"v=spf1; a\010\027[2J"'),
        (dns_words.TXT, b"\x03" + "\u202e".encode(), r'"\226\128\174"'),
        (13, b"\3PDP", r"\# 4 03504450"),
        (65280, b"", r"\# 0"),
    ],
)
def test_data_is_written_as_dig_does(kind: int, data: bytes, expected: str) -> None:
    assert text(kind, data) == expected


def test_an_rfc_3597_example() -> None:
    assert unknown_text(bytes.fromhex("0a000001")) == r"\# 4 0A000001"


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (dns_words.A, b"\1\2\3", "3 bytes that are no A data"),
        (dns_words.A, bytes(5), "5 bytes that are no A data"),
        (dns_words.AAAA, bytes(4), "4 bytes that are no AAAA data"),
        (dns_words.TXT, b"", "0 bytes that are no TXT data"),
        (dns_words.TXT, b"\5abc", "4 bytes that are no TXT data"),
        (dns_words.CNAME, b"", "0 bytes that are no CNAME data"),
        (dns_words.CNAME, b"\1a", "3 bytes that are no CNAME data"),
        (dns_words.CNAME, b"\1a\0x", "4 bytes that are no CNAME data"),
        (dns_words.MX, b"\0", "1 bytes that are no MX data"),
        (dns_words.SRV, bytes(6), "6 bytes that are no SRV data"),
        (dns_words.SOA, b"\0\0" + bytes(19), "21 bytes that are no SOA data"),
        (dns_words.SOA, b"\0\0" + bytes(21), "23 bytes that are no SOA data"),
        (dns_words.CNAME, b"\xc0\xff", "a compression pointer to byte 255, where no earlier name is"),
    ],
)
def test_data_that_does_not_fit_its_type_is_damage(kind: int, data: bytes, why: str) -> None:
    """What stands behind it in the message does not complete it."""
    with pytest.raises(DamagedError) as caught:
        text(kind, data, behind=bytes(64))
    assert str(caught.value).partition(" ")[2] == why.partition(" ")[2]


def test_long_data_is_cut_and_says_so() -> None:
    assert text(13, bytes(MAX_SHOWN)) == rf"\# {MAX_SHOWN} {'00' * MAX_SHOWN}"
    assert text(13, bytes(65000)) == rf"\# 65000 {'00' * MAX_SHOWN}…"
    assert text(dns_words.TXT, b"\xff" + b"x" * 255) == f'"{"x" * 255}"'
    assert text(dns_words.TXT, (b"\xff" + b"x" * 255) * 200) == f'"{"x" * 255}" "{"x" * 255}" …'
    assert text(dns_words.TXT, bytes(60000)) == '"" ' * MAX_SHOWN + "…"


@given(st.sampled_from([*range(70), 255, 257, 65280]), st.binary(max_size=90), st.binary(max_size=20))
def test_any_data_is_written_or_refused(kind: int, data: bytes, behind: bytes) -> None:
    try:
        written = text(kind, data, behind)
    except DamagedError as error:
        written = str(error)
    assert written
    assert written.isprintable()
