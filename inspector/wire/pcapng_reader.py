"""Read a pcapng file back, from anyone: within limits, in both byte orders, and without trusting a single length.

1. What the format forbids, or exceeds a limit, is a MalformedInputError; it says at which byte.
2. A file whose last block is cut off (a full disk, a killed writer) is read up to there, with a warning.
3. Blocks and options that we do not know are skipped. Layouts: draft-ietf-opsawg-pcapng, section 4.
"""

import struct
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import BinaryIO

from msgspec import Struct, field

from inspector.errors import MalformedInputError
from inspector.model.text import safe
from inspector.wire import pcapng

MAX_BLOCK = 16 * 1024 * 1024
MAX_INTERFACES = 1_000
MAX_TEXT = 8_192

_MIN_BLOCK = 12
_PREFIX = 8
_MAX_DECIMAL = 9
_MAX_BINARY = 63
_BINARY_BIT = 0x80
_MICROSECONDS = 6
_SECOND_NS = 1_000_000_000
_BODY_LENGTHS = {
    pcapng.SECTION_HEADER: 16,
    pcapng.INTERFACE_DESCRIPTION: 8,
    pcapng.ENHANCED_PACKET: 20,
    pcapng.INTERFACE_STATISTICS: 12,
}


class Capture(Struct, frozen=True):
    """Everything read, in the order of the file."""

    sections: tuple[pcapng.Section, ...]
    interfaces: tuple[pcapng.Interface, ...]
    packets: tuple[pcapng.Packet, ...]
    statistics: tuple[pcapng.Statistics, ...]
    names: dict[str, tuple[str, ...]]
    warnings: tuple[str, ...]


class Clock(Struct, frozen=True):
    """How the ticks of one interface become nanoseconds."""

    resolution: int = _MICROSECONDS
    offset_s: int = 0

    def nanoseconds(self, high: int, low: int) -> int:
        """Read a time stamp from its two halves."""
        ticks = high << 32 | low
        if self.resolution & _BINARY_BIT:
            return (ticks * _SECOND_NS >> (self.resolution & ~_BINARY_BIT)) + self.offset_s * _SECOND_NS
        per_second: int = 10**self.resolution
        return ticks * _SECOND_NS // per_second + self.offset_s * _SECOND_NS


class _State(Struct):
    order: str = "<"
    first: int = 0
    """Where the interfaces of this section start among all."""
    at: int = 0
    clocks: list[Clock] = field(default_factory=list)
    sections: list[pcapng.Section] = field(default_factory=list)
    interfaces: list[pcapng.Interface] = field(default_factory=list)
    packets: list[pcapng.Packet] = field(default_factory=list)
    statistics: list[pcapng.Statistics] = field(default_factory=list)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def malformed(self, why: str) -> MalformedInputError:
        return MalformedInputError(f"malformed pcapng at byte {self.at}: {why}")

    def unpack(self, layout: str, data: bytes, offset: int = 0) -> tuple[int, ...]:
        return struct.unpack_from(self.order + layout, data, offset)

    def interface(self, number: int) -> int:
        index = self.first + number
        if index >= len(self.interfaces):
            raise self.malformed(f"interface {number} was never described")
        return index


def read(stream: BinaryIO) -> Capture:
    """Read a whole pcapng file from a buffered stream."""
    state = _State()
    for kind, body in _blocks(stream, state):
        if len(body) < _BODY_LENGTHS.get(kind, 0):
            raise state.malformed(f"a block of type {kind} has only {len(body)} bytes in it")
        if kind == pcapng.SECTION_HEADER:
            _read_section(state, body)
        elif kind == pcapng.INTERFACE_DESCRIPTION:
            _read_interface(state, body)
        elif kind == pcapng.ENHANCED_PACKET:
            _read_packet(state, body)
        elif kind == pcapng.INTERFACE_STATISTICS:
            _read_statistics(state, body)
        elif kind == pcapng.NAME_RESOLUTION:
            _read_names(state, body)
    return Capture(
        sections=tuple(state.sections),
        interfaces=tuple(state.interfaces),
        packets=tuple(state.packets),
        statistics=tuple(state.statistics),
        names=state.names,
        warnings=tuple(state.warnings),
    )


def _blocks(stream: BinaryIO, state: _State) -> Iterator[tuple[int, bytes]]:
    while prefix := stream.read(_PREFIX):
        raw_kind = int.from_bytes(prefix[:4], "little")
        magic = b""
        if raw_kind == pcapng.SECTION_HEADER:
            magic = stream.read(4)
            _take_order(state, magic)
        elif not state.sections:
            raise state.malformed("a pcapng file starts with a section header")
        block = prefix + magic
        if len(prefix) == _PREFIX:
            kind, length = state.unpack("II", prefix)
            if not _MIN_BLOCK <= length <= MAX_BLOCK or length % 4:
                raise state.malformed(f"a block of {length} bytes")
            block += stream.read(length - len(block))
            if len(block) == length:
                if state.unpack("I", block, length - 4) != (length,):
                    raise state.malformed("the two lengths of a block differ")
                yield kind, block[_PREFIX:-4]
                state.at += length
                continue
        if not state.sections:
            raise state.malformed("the file ends within its section header")
        state.warnings.append(f"the last block is cut off at byte {state.at + len(block)}; it is left out")
        return
    if not state.sections:
        raise state.malformed("the file is empty")


def _take_order(state: _State, magic: bytes) -> None:
    orders = {pcapng.BYTE_ORDER_MAGIC.to_bytes(4, "little"): "<", pcapng.BYTE_ORDER_MAGIC.to_bytes(4, "big"): ">"}
    if len(magic) == len(next(iter(orders))) and magic not in orders:
        raise state.malformed("no byte-order magic in the section header")
    state.order = orders.get(magic, state.order)


def _options(state: _State, data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while len(data) - start >= 4:  # noqa: PLR2004 - code and length
        code, length = state.unpack("HH", data, start)
        if code == 0:
            return
        start += 4
        if start + length > len(data):
            raise state.malformed(f"option {code} is longer than its block")
        yield code, data[start : start + length]
        start += length + -length % 4


def _read_section(state: _State, body: bytes) -> None:
    _, major, _, _ = state.unpack("IHHq", body)
    if major != 1:
        raise state.malformed(f"version {major} of the format is not known")
    texts: dict[int, str] = {}
    comments = []
    for code, value in _options(state, body[16:]):
        if code == pcapng.OPT_COMMENT:
            comments.append(_text(value))
        else:
            texts[code] = _text(value)
    state.first = len(state.interfaces)
    state.sections.append(
        pcapng.Section(
            hardware=texts.get(pcapng.SHB_HARDWARE),
            system=texts.get(pcapng.SHB_OS),
            application=texts.get(pcapng.SHB_USERAPPL),
            comments=tuple(comments),
        )
    )


def _read_interface(state: _State, body: bytes) -> None:
    if len(state.interfaces) >= MAX_INTERFACES:
        raise state.malformed(f"more than {MAX_INTERFACES} interfaces")
    options = list(_options(state, body[8:]))
    single = dict(options)
    caught = single.get(pcapng.IF_FILTER, b"")
    described, known = pcapng.IF_DESCRIPTION in single, pcapng.IF_HARDWARE in single
    state.clocks.append(_read_clock(state, single))
    state.interfaces.append(
        pcapng.Interface(
            name=_text(single.get(pcapng.IF_NAME, b"")),
            description=_text(single[pcapng.IF_DESCRIPTION]) if described else None,
            hardware=_text(single[pcapng.IF_HARDWARE]) if known else None,
            addresses=tuple(_read_addresses(state, options)),
            mac=single[pcapng.IF_MACADDR].hex(":") if pcapng.IF_MACADDR in single else None,
            filter=_text(caught[1:]) if caught.startswith(b"\0") else None,
        )
    )


def _read_clock(state: _State, options: dict[int, bytes]) -> Clock:
    resolution = int.from_bytes(options.get(pcapng.IF_TSRESOL, bytes((_MICROSECONDS,)))[:1], "big")
    limit = _MAX_BINARY if resolution & _BINARY_BIT else _MAX_DECIMAL
    if resolution & ~_BINARY_BIT > limit:
        raise state.malformed(f"timestamps of resolution {resolution:#x} are not known")
    offset = options.get(pcapng.IF_TSOFFSET, bytes(8))
    if len(offset) != 8:  # noqa: PLR2004 - 64 bits
        raise state.malformed("the time offset of an interface is not eight bytes")
    return Clock(resolution, state.unpack("q", offset)[0])


def _read_addresses(state: _State, options: list[tuple[int, bytes]]) -> Iterator[IPv4Interface | IPv6Interface]:
    for code, value in options:
        try:
            if code == pcapng.IF_IPV4ADDR:
                yield IPv4Interface(f"{IPv4Address(value[:4])}/{IPv4Address(value[4:])}")
            elif code == pcapng.IF_IPV6ADDR:
                yield IPv6Interface((value[:16], value[16]))
        except (ValueError, IndexError) as error:
            raise state.malformed("an interface has an address that is none") from error


def _read_packet(state: _State, body: bytes) -> None:
    number, high, low, kept, wire_length = state.unpack("IIIII", body)
    if kept > min(pcapng.SNAPSHOT_LENGTH, len(body) - 20):
        raise state.malformed(f"a frame of {kept} bytes does not fit into its block")
    interface = state.interface(number)
    options = list(_options(state, body[20 + kept + -kept % 4 :]))
    state.packets.append(
        pcapng.Packet(
            interface=interface,
            at_ns=state.clocks[interface].nanoseconds(high, low),
            frame=body[20 : 20 + kept],
            wire_length=wire_length,
            flags=_number(state, options, pcapng.EPB_FLAGS, "I") or 0,
            packet_id=_number(state, options, pcapng.EPB_PACKETID, "Q"),
            comments=tuple(_text(value) for code, value in options if code == pcapng.OPT_COMMENT),
        )
    )


def _read_statistics(state: _State, body: bytes) -> None:
    number, high, low = state.unpack("III", body)
    interface = state.interface(number)
    clock = state.clocks[interface]
    options = list(_options(state, body[12:]))
    moments = {}
    for code, value in options:
        if code in {pcapng.ISB_STARTTIME, pcapng.ISB_ENDTIME} and len(value) == 8:  # noqa: PLR2004 - two halves
            moments[code] = clock.nanoseconds(*state.unpack("II", value))
    at_ns = clock.nanoseconds(high, low)
    state.statistics.append(
        pcapng.Statistics(
            interface=interface,
            received=_number(state, options, pcapng.ISB_IFRECV, "Q") or 0,
            dropped=_number(state, options, pcapng.ISB_IFDROP, "Q") or 0,
            start_ns=moments.get(pcapng.ISB_STARTTIME, at_ns),
            end_ns=moments.get(pcapng.ISB_ENDTIME, at_ns),
        )
    )


def _read_names(state: _State, body: bytes) -> None:
    lengths = {pcapng.NRB_IPV4: 4, pcapng.NRB_IPV6: 16}
    for kind, value in _options(state, body):
        length = lengths.get(kind)
        if length is None or len(value) < length:
            continue
        address = str(IPv4Address(value[:4]) if kind == pcapng.NRB_IPV4 else IPv6Address(value[:16]))
        state.names[address] = tuple(_text(each) for each in value[length:].split(b"\0") if each)


def _number(state: _State, options: list[tuple[int, bytes]], code: int, layout: str) -> int | None:
    value = dict(options).get(code)
    if value is None or len(value) != struct.calcsize(state.order + layout):
        return None
    return state.unpack(layout, value)[0]


def _text(raw: bytes) -> str:
    return safe(raw, limit=MAX_TEXT)
