"""A ring block becomes pcapng, whatever mixture of frames is in it: read back, nothing is missing or added."""

import io
import mmap
import random
import struct

import pytest
from msgspec import Struct
from msgspec.structs import replace

from inspector.capture.packet_blocks import FEW, PacketBlocks
from inspector.capture.ring import RingBlock
from inspector.wire import pcapng, pcapng_reader

BLOCK, FIRST, MAC = 1 << 16, 48, 82
SECOND = 1_700_000_000
OUT, OTHER, UNREADY, TAGGED, SEGMENTED = 4, 3, 0x08, 0x50, 0x100
HEADER = struct.Struct("=6IHHIIH")
SENT_TO = struct.Struct("=HHiHBB")
"""The start of struct sockaddr_ll"""


class Frame(Struct, frozen=True):
    data: bytes
    at_ns: int
    kind: int = OUT
    status: int = 1
    wire_length: int = 0
    tci: int = 0


def laid_out(memory: mmap.mmap, frames: list[Frame], start: int) -> RingBlock:
    """Write a block as the kernel does (tpacket_rcv and prb_fill_curr_block in net/packet/af_packet.c)."""
    at = start + FIRST
    for number, frame in enumerate(frames):
        distance = (MAC + len(frame.data) + 7) // 8 * 8
        following = 0 if number == len(frames) - 1 else distance
        seconds, nanoseconds = divmod(frame.at_ns, 10**9)
        wire = frame.wire_length or len(frame.data)
        HEADER.pack_into(
            memory, at, following, seconds, nanoseconds, len(frame.data), wire, frame.status, MAC, MAC + 14, 0,
            frame.tci, 0x88A8,
        )  # fmt: skip
        SENT_TO.pack_into(memory, at + 48, 17, 0, 7, 1, frame.kind, 6)
        memory[at + MAC : at + MAC + len(frame.data)] = frame.data
        at += distance
        assert at <= start + BLOCK
    return RingBlock(start, start + FIRST, len(frames))


def rewritten(frames: list[Frame], dropped: int = 0, start: int = BLOCK) -> tuple[pcapng_reader.Capture, bytes, int]:
    with mmap.mmap(-1, 3 * BLOCK) as memory:
        memory[:] = random.Random(1).randbytes(3 * BLOCK)
        block = laid_out(memory, frames, start)
        blocks = PacketBlocks(memory, BLOCK)
        around = memory[:start], memory[start + BLOCK :]
        done = blocks.rewrite(block, 0, dropped)
        data = b"".join(done.parts)
        assert (memory[:start], memory[start + BLOCK :]) == around
        for part in done.parts:
            part.release()
        blocks.close()
    assert done.frames == len(frames)
    ahead = pcapng.section_block(pcapng.Section()) + pcapng.interface_block(pcapng.Interface("web/eth0"))
    capture = pcapng_reader.read(io.BytesIO(ahead + data))
    assert capture.warnings == ()
    return capture, data, done.wire_bytes


def expected(frame: Frame) -> tuple[object, ...]:
    data = frame.data
    longer = 0
    if frame.status & 0x10:
        data, longer = pcapng.insert_tag(data, frame.tci, 0x88A8), 4
    flags = {OUT: 2, OTHER: 1 | 4 << 2, 0: 1 | 1 << 2}[frame.kind]
    flags |= (1 << 9 if frame.status & UNREADY else 0) | (1 << 11 if frame.status & SEGMENTED else 0)
    return data, frame.at_ns, (frame.wire_length or len(frame.data)) + longer, flags


def seen(capture: pcapng_reader.Capture) -> list[tuple[object, ...]]:
    return [(each.frame, each.at_ns, each.wire_length, each.flags) for each in capture.packets]


def some(seed: int, length: int | None = None, count: int = 200) -> list[Frame]:
    chance = random.Random(seed)
    at_ns = SECOND * 10**9 + chance.randrange(10**9)
    frames = []
    for _ in range(count):
        at_ns += chance.choice((0, 400, 70_000, 9_000_000))
        size = chance.choice((14, 42, 60, 61, 62, 63)) if length is None else length
        status = 1 if length is not None else chance.choice((1, 1 | UNREADY, 1 | TAGGED, 1 | UNREADY | SEGMENTED))
        kind = OUT if length is not None else chance.choice((OUT, OTHER, 0))
        wire = chance.choice((0, 1500))
        frames.append(Frame(chance.randbytes(size), at_ns, kind, status, wire if length is None else 0, 7))
    return frames


@pytest.mark.parametrize("seed", range(20))
def test_any_mixture_is_read_back_as_it_was(seed: int) -> None:
    frames = some(seed)
    capture, _, wire_bytes = rewritten(frames)
    assert seen(capture) == [expected(each) for each in frames]
    assert wire_bytes == sum(each.wire_length for each in capture.packets)


@pytest.mark.parametrize("seed", range(20))
def test_a_mixture_without_tags_is_read_back_as_it_was(seed: int) -> None:
    """Written a field at a time, whatever their lengths."""
    chance = random.Random(seed)
    frames = [replace(each, status=each.status & ~TAGGED | 1) for each in some(seed)]
    frames += [replace(each, data=chance.randbytes(chance.randrange(60, 400))) for each in frames[:50]]
    assert seen(rewritten(frames)[0]) == [expected(each) for each in frames]


@pytest.mark.parametrize("length", range(60, 76))
def test_frames_that_are_alike_are_read_back_as_they_were(length: int) -> None:
    """Written a field at a time: over the boundary of a second, and of the lower half of the time, too."""
    frames = some(length, length)
    capture, _, wire_bytes = rewritten(frames)
    assert seen(capture) == [expected(each) for each in frames]
    assert wire_bytes == length * len(frames)


@pytest.mark.parametrize("odd", [0, 1, 2, FEW, FEW + 3, 100, 197, 198, 199])
def test_one_that_is_different_among_many_that_are_alike(odd: int) -> None:
    frames = some(3, 66)
    for different in (
        Frame(b"x" * 400, frames[odd].at_ns),
        Frame(b"y" * 66, frames[odd].at_ns, OTHER),
        Frame(b"z" * 66, frames[odd].at_ns, OUT, 1 | UNREADY),
        Frame(b"t" * 66, frames[odd].at_ns, OUT, 1 | TAGGED, 0, 9),
        Frame(b"s" * 66, frames[odd].at_ns + 10**9),
    ):
        mixed = [*frames[:odd], different, *frames[odd + 1 :]]
        assert seen(rewritten(mixed)[0]) == [expected(each) for each in mixed]


@pytest.mark.parametrize("room", range(24))
def test_a_block_that_is_full_to_the_brim_keeps_its_last_frame(room: int) -> None:
    big = BLOCK - FIRST - MAC - (MAC + 60 + 2) - room
    frames = [Frame(b"a" * 60, 1), Frame(b"b" * big, 2)]
    assert seen(rewritten(frames)[0]) == [expected(each) for each in frames]


def test_what_was_lost_is_told_by_the_first_frame_after_it() -> None:
    frames = some(5, 66)
    for some_frames in (frames, frames[:1], frames[:2]):
        _, data, _ = rewritten(some_frames, dropped=77)
        assert data.count(struct.pack("<HHQ", 4, 8, 77)) == 1
        assert data.index(struct.pack("<HHQ", 4, 8, 77)) < struct.unpack_from("<I", data, 4)[0]
