"""Write frames as a pcapng file that says where each was seen, which way it went and what it means.

Block and option layouts are those of draft-ietf-opsawg-pcapng, section 3.5 and 4. Everything is little endian, padded
to four bytes, and stamped in nanoseconds. All interfaces are Ethernet with one snapshot length: libpcap refuses to
open anything else.
"""

import os
import struct
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Interface, IPv6Interface, ip_address

from msgspec import Struct

from inspector.model.text import safe

SECTION_HEADER = 0x0A0D0D0A
INTERFACE_DESCRIPTION = 1
NAME_RESOLUTION = 4
INTERFACE_STATISTICS = 5
ENHANCED_PACKET = 6

BYTE_ORDER_MAGIC = 0x1A2B3C4D
LINKTYPE_ETHERNET = 1
SNAPSHOT_LENGTH = 262_144
NANOSECONDS = 9

OPT_COMMENT = 1
SHB_HARDWARE, SHB_OS, SHB_USERAPPL = 2, 3, 4
IF_NAME, IF_DESCRIPTION, IF_IPV4ADDR, IF_IPV6ADDR, IF_MACADDR, IF_TSRESOL, IF_FILTER = 2, 3, 4, 5, 6, 9, 11
IF_TSOFFSET, IF_HARDWARE = 14, 15
EPB_FLAGS, EPB_DROPCOUNT, EPB_PACKETID = 2, 4, 5
ISB_STARTTIME, ISB_ENDTIME, ISB_IFRECV, ISB_IFDROP = 2, 3, 4, 5
ISB_FILTERACCEPT, ISB_OSDROP, ISB_USRDELIV = 6, 7, 8
NRB_IPV4, NRB_IPV6 = 1, 2

FLAG_IN = 0b01
FLAG_OUT = 0b10
FLAG_CHECKSUM_NOT_READY = 1 << 9
FLAG_CHECKSUM_VALID, FLAG_SEGMENTED_LATER = 1 << 10, 1 << 11
_RECEPTION_SHIFT = 2
_RECEPTION = {0: 1, 1: 3, 2: 2, 3: 4}
"""sll_pkttype (linux/if_packet.h) to reception type: unicast, broadcast, multicast, promiscuous."""

_TEXT_LIMIT = 8_192
_MAC_LENGTH = 6
_TAG_AT = 12
_TAG_LENGTH = 4
_IPV4 = 4


class Section(Struct, frozen=True):
    """What the whole file says about itself."""

    hardware: str | None = None
    system: str | None = None
    application: str | None = None
    comments: tuple[str, ...] = ()


class Interface(Struct, frozen=True):
    """One capture point; its number is its place among the interfaces written."""

    name: str
    description: str | None = None
    addresses: tuple[IPv4Interface | IPv6Interface, ...] = ()
    mac: str | None = None
    hardware: str | None = None
    """What device it is, where that is known: `veth`, `bridge`."""
    filter: str | None = None
    snapshot_length: int = SNAPSHOT_LENGTH


class Packet(Struct, frozen=True):
    """One frame, at one interface, once. A VLAN tag is where it was on the wire: in the frame."""

    interface: int
    at_ns: int
    frame: bytes
    wire_length: int
    flags: int = 0
    packet_id: int | None = None
    """The same number on every sighting of one packet."""
    comments: tuple[str, ...] = ()


class Statistics(Struct, frozen=True):
    """What the kernel counted at one interface, from start to end."""

    interface: int
    received: int
    dropped: int
    start_ns: int
    end_ns: int


class CutShortError(OSError):
    """The file could not take every block; those it took are whole."""

    def __init__(self, blocks: int, cause: OSError) -> None:
        """Say how many blocks are in the file."""
        super().__init__(cause.errno, cause.strerror)
        self.blocks = blocks


def write(descriptor: int, blocks: Iterable[bytes]) -> None:
    """Write each block whole, from the start of an empty file on; where that fails, cut the file after the last one.

    A disk that fills up makes `write(2)` take a part without an error, so that only the next call tells.
    """
    end = 0
    for count, block in enumerate(blocks):
        try:
            _write_whole(descriptor, block)
        except OSError as error:
            os.ftruncate(descriptor, end)
            raise CutShortError(count, error) from error
        end += len(block)


def section_block(section: Section) -> bytes:
    """Lay out a Section Header Block (4.1) of unknown length."""
    options = [(OPT_COMMENT, _text(each)) for each in section.comments]
    named = ((SHB_HARDWARE, section.hardware), (SHB_OS, section.system), (SHB_USERAPPL, section.application))
    options += [(code, _text(value)) for code, value in named if value is not None]
    return _block(SECTION_HEADER, struct.pack("<IHHq", BYTE_ORDER_MAGIC, 1, 0, -1), options)


def names_block(names: Mapping[str, tuple[str, ...]]) -> bytes:
    """Lay out a Name Resolution Block (4.5): each address with all its names."""
    records = b""
    for address, labels in names.items():
        parsed = ip_address(address)
        value = parsed.packed + b"".join(_text(label) + b"\0" for label in labels if label)
        if len(value) > len(parsed.packed):
            records += _option(NRB_IPV4 if parsed.version == _IPV4 else NRB_IPV6, value)
    return _block(NAME_RESOLUTION, records + _option(0, b""), [])


def interface_block(interface: Interface) -> bytes:
    """Lay out an Interface Description Block (4.2)."""
    options = [(IF_NAME, _text(interface.name))]
    if interface.description is not None:
        options.append((IF_DESCRIPTION, _text(interface.description)))
    if interface.hardware is not None:
        options.append((IF_HARDWARE, _text(interface.hardware)))
    for address in interface.addresses:
        if isinstance(address, IPv4Interface):
            options.append((IF_IPV4ADDR, address.ip.packed + address.netmask.packed))
        else:
            options.append((IF_IPV6ADDR, address.ip.packed + bytes((address.network.prefixlen,))))
    mac = _mac(interface.mac)
    if mac is not None:
        options.append((IF_MACADDR, mac))
    options.append((IF_TSRESOL, bytes((NANOSECONDS,))))
    if interface.filter is not None:
        options.append((IF_FILTER, b"\0" + _text(interface.filter)))
    return _block(INTERFACE_DESCRIPTION, struct.pack("<HHI", LINKTYPE_ETHERNET, 0, interface.snapshot_length), options)


def packet_block(packet: Packet) -> bytes:
    """Lay out an Enhanced Packet Block (4.3)."""
    options = [(OPT_COMMENT, _text(each)) for each in packet.comments]
    options.append((EPB_FLAGS, struct.pack("<I", packet.flags)))
    if packet.packet_id is not None:
        options.append((EPB_PACKETID, struct.pack("<Q", packet.packet_id)))
    fixed = struct.pack(
        "<IIIII",
        packet.interface,
        *_halves(packet.at_ns),
        len(packet.frame),
        max(packet.wire_length, len(packet.frame)),
    )
    return _block(ENHANCED_PACKET, fixed + _padded(packet.frame), options)


def statistics_block(statistics: Statistics) -> bytes:
    """Lay out an Interface Statistics Block (4.6)."""
    options = [
        (ISB_STARTTIME, struct.pack("<II", *_halves(statistics.start_ns))),
        (ISB_ENDTIME, struct.pack("<II", *_halves(statistics.end_ns))),
        (ISB_IFRECV, struct.pack("<Q", statistics.received)),
        (ISB_IFDROP, struct.pack("<Q", statistics.dropped)),
    ]
    return _block(INTERFACE_STATISTICS, struct.pack("<III", statistics.interface, *_halves(statistics.end_ns)), options)


def packet_flags(*, outgoing: bool, packet_type: int, checksum_ready: bool) -> int:
    """Say direction, reception type and checksum state as `epb_flags` does (4.3.1)."""
    direction = FLAG_OUT if outgoing else FLAG_IN
    reception = _RECEPTION.get(packet_type, 0) << _RECEPTION_SHIFT
    return direction | reception | (0 if checksum_ready else FLAG_CHECKSUM_NOT_READY)


def insert_tag(frame: bytes, tci: int, tpid: int) -> bytes:
    """Put a VLAN tag back between the MACs and the EtherType (IEEE 802.1Q, 9.3), where the kernel took it from."""
    return frame[:_TAG_AT] + struct.pack("!HH", tpid, tci) + frame[_TAG_AT:]


def remove_tag(frame: bytes) -> bytes:
    """Undo `insert_tag`, for a frame of any length."""
    start = min(_TAG_AT, max(len(frame) - _TAG_LENGTH, 0))
    return frame[:start] + frame[start + _TAG_LENGTH :]


def _write_whole(descriptor: int, block: bytes) -> None:
    rest = memoryview(block)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    written = b"".join(_option(code, value) for code, value in options)
    body += written + _option(0, b"") if written else b""
    length = len(body) + 12
    return struct.pack("<II", kind, length) + body + struct.pack("<I", length)


def _option(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(value: bytes) -> bytes:
    return value + b"\0" * (-len(value) % 4)


def _text(value: str) -> bytes:
    return safe(value, limit=_TEXT_LIMIT).encode()


def _halves(at_ns: int) -> tuple[int, int]:
    return at_ns >> 32, at_ns & 0xFFFF_FFFF


def _mac(text: str | None) -> bytes | None:
    try:
        raw = bytes.fromhex((text or "").replace(":", ""))
    except ValueError:
        return None
    return raw if len(raw) == _MAC_LENGTH else None
