"""Read the headers of UDP and TCP, whole or as an ICMP error quotes them: eight bytes at least (RFC 792)."""

import struct

from msgspec import Struct

_QUOTED_LENGTH = 8
UDP_LENGTH = 8
TCP_LENGTH = 20

_FIN, _SYN, _RST, _PSH, _ACK, _URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


class Udp(Struct, frozen=True):
    """A UDP header (RFC 768)."""

    source_port: int
    destination_port: int
    length: int
    """Bytes of header and payload, as the header says."""
    payload: bytes = b""
    """As far as it was kept."""


class Tcp(Struct, frozen=True):
    """A TCP header (RFC 9293, 3.1); behind the eighth byte everything may be cut off."""

    source_port: int
    destination_port: int
    sequence: int
    acknowledgement: int | None = None
    """None where it is cut off, or where ACK is not set."""
    flags: int | None = None
    """The eight control bits; None where they are cut off."""
    payload: bytes = b""
    """What follows header and options, as far as it was kept."""

    @property
    def syn(self) -> bool:
        """Whether it opens a connection."""
        return bool((self.flags or 0) & _SYN)

    @property
    def ack(self) -> bool:
        """Whether it acknowledges."""
        return bool((self.flags or 0) & _ACK)

    @property
    def rst(self) -> bool:
        """Whether it refuses or breaks a connection."""
        return bool((self.flags or 0) & _RST)

    @property
    def fin(self) -> bool:
        """Whether it ends its side of a connection."""
        return bool((self.flags or 0) & _FIN)

    @property
    def words(self) -> str:
        """Its control bits, as RFC 9293 names them: `SYN, ACK`; empty where there are none."""
        named = {"SYN": _SYN, "FIN": _FIN, "RST": _RST, "PSH": _PSH, "ACK": _ACK, "URG": _URG}
        return ", ".join(name for name, bit in named.items() if (self.flags or 0) & bit)


def read_udp(segment: bytes) -> Udp | None:
    """Read a UDP header; None where its eight bytes are not whole."""
    if len(segment) < UDP_LENGTH:
        return None
    source_port, destination_port, length = struct.unpack_from("!HHH", segment)
    # A length of 0 is a datagram too long for the field (RFC 2675, 4).
    return Udp(source_port, destination_port, length, segment[UDP_LENGTH : max(length, UDP_LENGTH) if length else None])


def read_tcp(segment: bytes) -> Tcp | None:
    """Read a TCP header; None where not even ports and sequence number are there."""
    if len(segment) < _QUOTED_LENGTH:
        return None
    if len(segment) < TCP_LENGTH:
        return Tcp(*struct.unpack_from("!HHI", segment))
    source_port, destination_port, sequence, acknowledgement, offset, flags = struct.unpack_from("!HHIIBB", segment)
    return Tcp(
        source_port,
        destination_port,
        sequence,
        acknowledgement if flags & _ACK else None,
        flags,
        segment[max((offset >> 4) * 4, TCP_LENGTH) :],
    )
