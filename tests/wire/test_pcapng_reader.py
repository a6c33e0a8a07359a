"""The pcapng reader: both byte orders, strict limits, and a sentence for everything it refuses."""

import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.errors import MalformedInputError
from inspector.wire import pcapng, pcapng_reader

SECTION = pcapng.section_block(pcapng.Section(application="test"))
INTERFACE = pcapng.interface_block(pcapng.Interface("web/eth0"))
PACKET = pcapng.Packet(0, 1_000_000_007, b"frame", 5, packet_id=3, comments=("hop 1/2",))
BLOCK = pcapng.packet_block(PACKET)


def read(*blocks: bytes) -> pcapng_reader.Capture:
    """Read these blocks as a file."""
    return pcapng_reader.read(io.BytesIO(b"".join(blocks)))


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Frame a body as a block."""
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """Lay out one option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def described(*options: bytes, order: str = "<") -> bytes:
    """Describe an Ethernet interface with these options."""
    return block(1, struct.pack(order + "HHI", 1, 0, 0) + b"".join(options), order)


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_politely(data: bytes) -> None:
    """No other exception leaves the reader."""
    with pytest.raises(MalformedInputError):
        read(data)


@given(st.data())
def test_a_damaged_file_is_read_or_refused(data: st.DataObject) -> None:
    """Any bytes in the middle of a good file."""
    whole = bytearray(SECTION + INTERFACE + BLOCK + BLOCK)
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert len(read(bytes(whole)).packets) <= 2
    except MalformedInputError as error:
        assert error.message.startswith("malformed pcapng at byte ")  # noqa: PT017 - refusal is one of two right ends


@pytest.mark.parametrize("cut", range(1, len(BLOCK)))
def test_a_last_block_cut_off_is_a_warning(cut: int) -> None:
    """What was whole before it is kept."""
    found = read(SECTION, INTERFACE, BLOCK, BLOCK[:-cut])
    assert found.packets == (PACKET,)
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith("the last block is cut off at byte ")


def test_the_other_byte_order_is_read() -> None:
    """A file from a big-endian machine, in microseconds, as the format's defaults have it."""
    section = block(pcapng.SECTION_HEADER, struct.pack(">IHHq", pcapng.BYTE_ORDER_MAGIC, 1, 0, -1), ">")
    packet = block(
        6, struct.pack(">IIIII", 0, 0, 1_500_000, 4, 60) + b"abcd" + option(2, bytes((0, 0, 0, 1)), ">"), ">"
    )
    found = read(section, described(option(2, b"lan0", ">"), order=">"), packet)
    assert found.interfaces == (pcapng.Interface("lan0"),)
    assert found.packets == (pcapng.Packet(0, 1_500_000_000, b"abcd", 60, flags=1),)


def test_a_second_section_counts_its_interfaces_anew() -> None:
    """As files joined by cat have it."""
    found = read(SECTION, INTERFACE, BLOCK, SECTION, INTERFACE, BLOCK)
    assert [packet.interface for packet in found.packets] == [0, 1]
    assert len(found.sections) == 2


def test_unknown_blocks_and_options_are_skipped() -> None:
    """A file may hold more than we know."""
    found = read(SECTION, block(0xBAD, bytes(8)), described(option(999, b"?"), option(2, b"eth0")), BLOCK)
    assert [packet.frame for packet in found.packets] == [PACKET.frame]
    assert found.interfaces[0].name == "eth0"


@pytest.mark.parametrize(
    ("resolution", "offset", "ticks", "at_ns"),
    [
        (9, 0, 7, 7),
        (3, 0, 7, 7_000_000),
        (0x80 | 1, 0, 3, 1_500_000_000),
        (6, 100, 1, 100_000_001_000),
    ],
)
def test_ticks_become_nanoseconds(resolution: int, offset: int, ticks: int, at_ns: int) -> None:
    """Decimal, binary, and with an offset."""
    interface = described(option(9, bytes((resolution,))), option(14, struct.pack("<q", offset)))
    found = read(SECTION, interface, block(6, struct.pack("<IIIII", 0, 0, ticks, 0, 0)))
    assert found.packets[0].at_ns == at_ns


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ((b"",), "the file is empty"),
        ((SECTION[:11],), "ends within its section header"),
        ((INTERFACE,), "starts with a section header"),
        ((SECTION[:8] + b"????" + SECTION[12:],), "no byte-order magic"),
        ((block(pcapng.SECTION_HEADER, struct.pack("<IHHq", pcapng.BYTE_ORDER_MAGIC, 2, 0, -1)),), "version 2"),
        ((SECTION, BLOCK), "interface 0 was never described"),
        ((SECTION, struct.pack("<II", 1, 8)), "a block of 8 bytes"),
        ((SECTION, struct.pack("<II", 1, 14)), "a block of 14 bytes"),
        ((SECTION, struct.pack("<II", 1, 17 << 20)), "a block of 17825792 bytes"),
        ((SECTION, INTERFACE[:-4] + bytes(4)), "the two lengths of a block differ"),
        ((SECTION, block(6, bytes(8))), "has only 8 bytes in it"),
        ((SECTION, INTERFACE, block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99))), "a frame of 99 bytes"),
        ((SECTION, described(struct.pack("<HH", 2, 99))), "option 2 is longer than its block"),
        ((SECTION, described(option(9, b"\x0a"))), "timestamps of resolution 0xa"),
        ((SECTION, described(option(9, b"\xc0"))), "timestamps of resolution 0xc0"),
        ((SECTION, described(option(4, b"123"))), "an address that is none"),
        ((SECTION, described(option(5, bytes(16)))), "an address that is none"),
        ((SECTION, described(option(14, b"1"))), "not eight bytes"),
        ((SECTION, INTERFACE * 1_001), "more than 1000 interfaces"),
    ],
)
def test_what_the_format_forbids_is_named(blocks: tuple[bytes, ...], why: str) -> None:
    """Each refusal says what and where."""
    with pytest.raises(MalformedInputError, match=why) as caught:
        read(*blocks)
    assert caught.value.exit_status == 65


def test_text_is_made_harmless() -> None:
    """A file may come from anyone."""
    found = read(SECTION, described(option(2, b"e\x1b[2J\xff")))
    assert found.interfaces[0].name == r"e\x1b[2J\xff"
