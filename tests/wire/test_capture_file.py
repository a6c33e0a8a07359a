"""Capture files of any program: both forms, both byte orders, every block with a frame in it, and what is refused."""

import gzip
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from captures import pcap, pcapng_file
from inspector.errors import MalformedInputError
from inspector.wire import captured, pcapng
from inspector.wire.capture_file import open_capture
from inspector.wire.captured import Counters, FramesFile

FRAMES = st.lists(st.tuples(st.integers(0, 4_000_000_000_000_000_000), st.binary(max_size=80)), max_size=8)


class Slow(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, step: int) -> None:
        self._rest, self._step = data, step

    def read(self, size: int = -1, /) -> bytes:
        taken, self._rest = self._rest[: min(self._step, size)], self._rest[min(self._step, size) :]
        return taken


def opened(data: bytes) -> tuple[FramesFile, list[tuple[int, int, bytes]]]:
    """Read a file: all that it is, then each frame's interface, time and bytes."""
    file = open_capture(io.BytesIO(data))
    return file, [(number, at, data[start : start + kept]) for number, at, data, start, kept, _, _ in file.frames()]


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Frame a body as a block."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + length + body + length


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """Lay out one option."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", *options: bytes) -> bytes:
    """Begin a section."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + b"".join(options), order)


def described(order: str = "<", *options: bytes, snap: int = 0) -> bytes:
    """Describe an Ethernet interface."""
    return block(1, struct.pack(order + "HHI", 1, 0, snap) + b"".join(options), order)


def enhanced(frame: bytes, at: int = 5, order: str = "<", *options: bytes) -> bytes:
    """Write a frame at the first interface."""
    fixed = struct.pack(order + "IIIII", 0, at >> 32, at & 0xFFFF_FFFF, len(frame), len(frame))
    return block(6, fixed + frame + bytes(-len(frame) % 4) + b"".join(options), order)


@given(FRAMES, st.sampled_from("<>"), st.integers(1, 40))
def test_a_classic_file_is_read_as_it_was_written(frames: list[tuple[int, bytes]], order: str, step: int) -> None:
    whole = pcap(frames, order=order)
    file = open_capture(Slow(whole, step))
    read = [(at, data[start : start + kept]) for _, at, data, start, kept, _, _ in file.frames()]
    assert (read, file.warnings) == (frames, [])
    coarse, told = opened(pcap(frames, order=order, nano=False))
    assert [at for _, at, _ in told] == [at // 1000 * 1000 for at, _ in frames]
    assert coarse.interfaces[0].tick_ns == 1000


@given(FRAMES, st.integers(1, 40))
def test_a_file_of_our_own_is_read_as_it_was_written(frames: list[tuple[int, bytes]], step: int) -> None:
    file = open_capture(Slow(pcapng_file(["a", "b"], [(n % 2, *each) for n, each in enumerate(frames)]), step))
    read = [(number, at, data[start : start + kept]) for number, at, data, start, kept, _, _ in file.frames()]
    assert read == [(n % 2, *each) for n, each in enumerate(frames)]


@given(st.integers(1, 200))
def test_where_a_chunk_ends_is_of_no_account(chunk: int) -> None:
    whole = pcapng_file(["a"], [(0, each, bytes(each)) for each in range(20)])
    before, captured.CHUNK = captured.CHUNK, chunk
    try:
        assert [at for _, at, _ in opened(whole)[1]] == list(range(20))
    finally:
        captured.CHUNK = before


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xd4\xc3\xb2\xa1", b"\n\r\r\n", section(), pcap([])]))
def test_any_bytes_are_read_or_refused(data: bytes, start: bytes) -> None:
    try:
        opened(start + data)
    except MalformedInputError as error:
        assert str(error).isprintable()  # noqa: PT017 - refusal is one of two right ends


@pytest.mark.parametrize("order", "<>")
def test_all_that_stands_beside_the_frames(order: str) -> None:
    names = option(1, b"\x0a\0\0\2web\0www\0", order) + option(2, bytes(15) + b"\1six\0", order) + option(0, b"", order)
    counted = option(4, struct.pack(order + "Q", 9), order) + option(5, struct.pack(order + "Q", 2), order)
    whole = section(order, option(4, b"dumpcap", order), option(3, b"Linux", order))
    whole += described(order, option(2, b"eth\x1b0", order), option(9, b"\x09", order), option(11, b"\0icmp", order))
    whole += block(4, names, order) + enhanced(b"frame", 7, order, option(2, struct.pack(order + "I", 2), order))
    whole += block(0x99, b"unknown", order) + block(5, struct.pack(order + "III", 0, 0, 0) + counted, order)
    file = open_capture(io.BytesIO(whole))
    assert [(taken[1], taken[6]) for taken in file.frames()] == [(7, 2)]
    assert (file.application, file.system) == ("dumpcap", "Linux")
    assert (file.interfaces[0].name, file.interfaces[0].tick_ns, file.interfaces[0].filtered) == (r"eth\x1b0", 1, True)
    assert file.names == {"10.0.0.2": ("web", "www"), "::1": ("six",)}
    assert file.counters == {0: Counters(received=9, dropped=2)}


def test_older_blocks_and_a_second_section_of_the_other_order() -> None:
    simple = block(3, struct.pack("<I", 9) + b"cut to si")
    obsolete = block(2, struct.pack(">HHIIII", 0, 0, 0, 8, 3, 3) + b"old", ">")
    whole = section() + described(snap=6) + enhanced(b"one", 7) + simple + section(">") + described(">") + obsolete
    file, read = opened(whole)
    assert read == [(0, 7000, b"one"), (0, 7000, b"cut to"), (1, 8000, b"old")]
    assert file.timeless == 1


def test_a_direction_is_found_behind_other_options() -> None:
    options = (option(1, b"a comment"), option(2, struct.pack("<I", 1)))
    file = open_capture(io.BytesIO(section() + described() + enhanced(b"frame", 1, "<", *options)))
    assert [taken[6] for taken in file.frames()] == [1]


@pytest.mark.parametrize(
    "whole", [pcap([(1, b"one"), (2, b"two")]), pcapng_file(["a"], [(0, 1, b"one"), (0, 2, b"two")])]
)
def test_a_last_frame_that_is_cut_off_is_a_warning(whole: bytes) -> None:
    file, read = opened(whole[:-1])
    assert [frame for _, _, frame in read] == [b"one"]
    assert "cut off" in file.warnings[0]


LONG = 1 << 20
REFUSED = [
    (b"", "empty"),
    (b"text", "neither pcap nor pcapng"),
    (gzip.compress(pcap([])), "compressed"),
    (b"snoop\0\0\0", "snoop"),
    (b"\x34\xcd\xb2\xa1" + bytes(20), "patched"),
    (pcap([])[:20], "ends within its header"),
    (pcap([])[:4] + b"\\9\0" + pcap([])[6:], "version"),
    (pcap([]) + struct.pack("<IIII", 0, 0, LONG, LONG), "byte 24: a frame of 1048576 bytes"),
    (section()[:8], "ends within its section header"),
    (b"\n\r\r\n" + bytes(24), "no byte-order magic"),
    (section()[:12] + b"\2" + section()[13:], "version"),
    (section() + enhanced(b""), "interface 0 was never described"),
    (section() + struct.pack("<II", 6, 13) + bytes(20), "a block of 13 bytes"),
    (section() + struct.pack("<II", 6, 1 << 30) + bytes(20), "a block of 1073741824 bytes"),
    (section() + described()[:-4] + b"\0\0\0\0", "two lengths"),
    (section() + described() + block(6, struct.pack("<IIIII", 0, 0, 0, 9, 9)), "a frame of 9 bytes"),
    (section() + described() + block(6, bytes(8)), "too short"),
    (section() + described() + block(3, b""), "too short"),
    (section() + described() + block(2, bytes(8)), "too short"),
    (section() + block(1, b""), "too short"),
    (section() + described("<", option(9, b"\x0c")), "resolution 0xc"),
    (section() + described("<", struct.pack("<HH", 2, 99)), "longer than its block"),
    (section() + described() * 1001, "more than 1000 interfaces"),
    (section() + block(5, struct.pack("<III", 0, 0, 0)), "never described"),
    (section() + block(4, struct.pack("<HH", 9, 0) * 20_000), "more than 10000 options"),
]


@pytest.mark.parametrize(("data", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_is_wrong_is_said_in_a_sentence(data: bytes, why: str) -> None:
    with pytest.raises(MalformedInputError, match=why):
        opened(data)


def test_memory_does_not_grow_with_the_file() -> None:
    class Endless(io.RawIOBase):
        """A pipe with a megabyte at a time."""

        def __init__(self) -> None:
            self.left = 40
            self.head = section() + described()

        def read(self, _size: int = -1, /) -> bytes:
            if self.head:
                taken, self.head = self.head, b""
                return taken
            self.left -= 1
            return enhanced(bytes(1000)) * 1000 if self.left >= 0 else b""

    file = open_capture(Endless())
    longest = max(len(taken[2]) for taken in file.frames())
    assert longest < 3_000_000
    assert longest > pcapng.SNAPSHOT_LENGTH
