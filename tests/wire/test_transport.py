"""UDP and TCP headers: right on what scapy built, quiet on anything else."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import headers, scapy_door
from inspector.wire.transport import Tcp, Udp, read_tcp, read_udp

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP, TCP, UDP, IPerror  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402
from scapy.packet import Raw  # noqa: E402

ETHER = Ether(src="02:42:ac:11:00:02", dst="02:42:ac:11:00:03")


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.binary(max_size=64))
def test_udp_comes_back_as_scapy_built_it(source: int, destination: int, payload: bytes) -> None:
    built = bytes(UDP(sport=source, dport=destination, len=8 + len(payload)) / payload)
    assert read_udp(built) == Udp(source, destination, 8 + len(payload), payload)


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFF), st.binary(max_size=64))
def test_tcp_comes_back_as_scapy_built_it(sequence: int, acknowledgement: int, flags: int, payload: bytes) -> None:
    options = [("MSS", 1460), ("NOP", None), ("WScale", 7)]
    built = bytes(TCP(sport=4711, dport=53, seq=sequence, ack=acknowledgement, flags=flags, options=options) / payload)
    assert read_tcp(built) == Tcp(4711, 53, sequence, acknowledgement if flags & 0x10 else None, flags, payload)


@pytest.mark.parametrize(
    ("flags", "words", "syn", "ack", "rst", "fin"),
    [
        ("S", "SYN", True, False, False, False),
        ("SA", "SYN, ACK", True, True, False, False),
        ("RA", "RST, ACK", False, True, True, False),
        ("FPA", "FIN, PSH, ACK", False, True, False, True),
        ("U", "URG", False, False, False, False),
        ("", "", False, False, False, False),
    ],
)
def test_control_bits_can_be_read(flags: str, words: str, *, syn: bool, ack: bool, rst: bool, fin: bool) -> None:
    found = read_tcp(bytes(TCP(flags=flags)))
    assert found is not None
    assert (found.words, found.syn, found.ack, found.rst, found.fin) == (words, syn, ack, rst, fin)


@pytest.mark.parametrize(
    ("length", "payload"),
    [(0, b"four more"), (5, b""), (8, b""), (12, b"four"), (17, b"four more"), (99, b"four more")],
)
def test_the_length_of_udp_bounds_its_payload(length: int, payload: bytes) -> None:
    """0 says that the field is too small (RFC 2675, 4); below 8 is a lie; above, the rest was not kept."""
    assert read_udp(struct.pack("!HHHH", 1, 2, length, 0) + b"four more") == Udp(1, 2, length, payload)


@pytest.mark.parametrize(("offset", "payload"), [(0, b"data"), (4, b"data"), (5, b"data"), (6, b""), (15, b"")])
def test_the_offset_of_tcp_is_believed_as_far_as_it_can_be(offset: int, payload: bytes) -> None:
    found = read_tcp(bytes(TCP(dataofs=offset, flags="") / b"data"))
    assert found is not None
    assert found.payload == payload


@pytest.mark.parametrize("length", range(8, 20))
def test_a_quoted_tcp_header_has_ports_and_sequence(length: int) -> None:
    """An ICMP error quotes eight bytes at least (RFC 792); nothing is made up for the rest."""
    found = read_tcp(bytes(TCP(sport=4711, dport=80, seq=7, ack=9, flags="SA"))[:length])
    assert found == Tcp(4711, 80, 7)
    assert (found.words, found.syn, found.ack, found.rst, found.fin) == ("", False, False, False, False)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_without_an_exception(segment: bytes) -> None:
    whole = len(segment) >= 8
    assert (read_udp(segment) is not None) == (read_tcp(segment) is not None) == whole


@pytest.mark.parametrize(("protocol", "offset"), [(17, 0), (17, 185), (6, 0), (6, 185)])
def test_only_the_first_fragment_has_a_transport_header(protocol: int, offset: int) -> None:
    found = headers.read(
        bytes(ETHER / IP(src="10.0.0.2", dst="10.0.0.3", flags="MF", frag=offset, proto=protocol) / bytes(24))
    )
    assert found is not None
    assert (found.udp is not None) == (protocol == headers.PROTOCOL_UDP and offset == 0)
    assert (found.tcp is not None) == (protocol == headers.PROTOCOL_TCP and offset == 0)


def quoted(protocol: int, start: bytes) -> headers.Datagram:
    """Have a packet quoted as RFC 792 asks at least: its IP header and eight bytes."""
    inner = IPerror(src="10.0.0.2", dst="10.0.0.3", len=60, proto=protocol) / Raw(start[:8])
    frame = headers.read(bytes(ETHER / IP(src="10.0.0.1", dst="10.0.0.2") / ICMP(type=3, code=3) / inner))
    assert frame is not None
    assert frame.icmp is not None
    assert frame.icmp.quoted is not None
    return frame.icmp.quoted


def test_an_icmp_error_quotes_ports() -> None:
    udp = quoted(headers.PROTOCOL_UDP, bytes(UDP(sport=4711, dport=53, len=40)))
    assert (udp.udp, udp.tcp) == (Udp(4711, 53, 40), None)
    tcp = quoted(headers.PROTOCOL_TCP, bytes(TCP(sport=4711, dport=80, seq=7, flags="S")))
    assert (tcp.udp, tcp.tcp) == (None, Tcp(4711, 80, 7))
