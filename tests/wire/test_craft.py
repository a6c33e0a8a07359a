"""Probes: what leaves is a valid echo request that carries its mark."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import craft, dns, headers

TOKEN = bytes(range(16))


def ones_complement(data: bytes) -> int:
    """Sum as RFC 1071 does; 0xffff for a message with a right checksum."""
    padded = data + b"\0" * (len(data) % 2)
    total = sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("size", [0, 1, 17, 18, 56, 1472])
def test_an_echo_request_is_what_headers_reads(family: int, size: int) -> None:
    """Built by one module, read by the other, field by field."""
    source, destination = ("10.0.0.2", "10.0.0.3") if family == 4 else ("fe80::1%eth0", "fd00::3")
    data = craft.payload(TOKEN, 7, size)
    message = craft.echo_request(
        family=family, source=source, destination=destination, identifier=0xABCD, sequence=7, payload=data
    )
    found = headers.read_icmp(message, family)
    assert found is not None
    assert found.echo_request
    assert (found.identifier, found.sequence, found.payload) == (0xABCD, 7, data)


def test_both_checksums_are_right() -> None:
    """Alone for version 4, with the pseudo-header of RFC 8200 (8.1) for version 6."""
    four = craft.echo_request(
        family=4, source="10.0.0.2", destination="10.0.0.3", identifier=1, sequence=2, payload=b"odd"
    )
    assert ones_complement(four) == 0xFFFF
    six = craft.echo_request(family=6, source="::1", destination="::2", identifier=1, sequence=2, payload=b"odd")
    pseudo = bytes(15) + b"\1" + bytes(15) + b"\2" + len(six).to_bytes(4, "big") + b"\0\0\0\x3a"
    assert ones_complement(pseudo + six) == 0xFFFF


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=1500))
def test_our_layer_makes_what_scapy_s_own_makes(identifier: int, sequence: int, payload: bytes) -> None:
    from scapy.layers.inet import ICMP

    asked = {"family": 4, "source": "10.0.0.2", "destination": "10.0.0.3"}
    ours = craft.echo_request(**asked, identifier=identifier, sequence=sequence, payload=payload)
    assert ours == bytes(ICMP(type="echo-request", id=identifier, seq=sequence) / payload)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 0xFFFF), st.integers(0, 2000))
def test_a_payload_has_its_size_and_its_mark(token: bytes, sequence: int, size: int) -> None:
    """Token and sequence first, as far as they fit."""
    data = craft.payload(token, sequence, size)
    assert len(data) == size
    mark = token + sequence.to_bytes(2, "big")
    assert data[: craft.MARK_LENGTH] == mark[:size]


def test_numbers_wrap_as_their_fields_do() -> None:
    """Probe 65 537 is sequence 1 on the wire."""
    message = craft.echo_request(
        family=4, source="10.0.0.2", destination="10.0.0.3", identifier=0x10002, sequence=0x10001, payload=b""
    )
    found = headers.read_icmp(message, 4)
    assert found is not None
    assert (found.identifier, found.sequence) == (2, 1)


@pytest.mark.parametrize(
    ("name", "type_", "asked"),
    [
        ("tomcat01", "A", "tomcat01"),
        ("Web.Example.com.", "aaaa", "Web.Example.com"),
        (r"a\.b\000\255.c", "TXT", r"a\.b\000\255.c"),
        ("a" * 63 + "." + "b" * 63, "SRV", "a" * 63 + "." + "b" * 63),
        ("bücher", "TYPE65280", "xn--bcher-kva"),
        (".", "NS", "."),
        (r"x\192y", "A", r"x\192y"),
    ],
)
def test_a_query_is_what_a_libc_sends(name: str, type_: str, asked: str) -> None:
    """Recursion desired, one question, nothing more; the name is ours, byte by byte."""
    query = craft.dns_query(name=name, type=type_, identifier=0x1ABCD)
    number = dns.type_number(type_)
    assert number is not None
    assert query == struct.pack("!6H", 0xABCD, 0x0100, 1, 0, 0, 0) + dns.encode_name(name) + struct.pack(
        "!HH", number, 1
    )
    found = dns.read(query)
    assert found is not None
    assert found.asked is not None
    assert (found.asked.name, found.asked.type, found.response) == (asked, type_.upper(), False)
    assert found.damage is None


@given(st.lists(st.binary(min_size=1, max_size=63), max_size=3))
def test_scapy_leaves_every_name_alone(labels: list[bytes]) -> None:
    """Zero bytes, pointers' bits and dots in labels included."""
    name = ".".join("".join(f"\\{byte:03}" for byte in label) for label in labels) or "."
    query = craft.dns_query(name=name, type="A", identifier=1)
    assert query[12:-4] == b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


@pytest.mark.parametrize(
    ("name", "type_", "why"), [("a..b", "A", "not 0"), ("a", "NONE\x1b", r"called NONE\\x1b"), ("a", "", "called")]
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(name: str, type_: str, why: str) -> None:
    """Before scapy is loaded."""
    with pytest.raises(ValueError, match=why):
        craft.dns_query(name=name, type=type_, identifier=1)
