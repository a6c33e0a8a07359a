"""Whatever is done to a capture file, it is told or refused in a sentence: no other exception, no long wait, no control
character. All shipped captures, mutated by the same seeds each time."""

import io
import random
import time
from pathlib import Path

import pytest
from fuzzing import dice

from captures import as_pcap
from inspector.errors import MalformedInputError
from inspector.pipeline import review_capture
from inspector.render.capture_json import render_capture_json
from inspector.render.capture_text import render_capture
from inspector.wire.capture_file import open_capture

ROOT = Path(__file__).parents[1]
FILES = sorted([*(ROOT / "tests" / "worlds").rglob("*.pcapng"), *(ROOT / "captures" / "samples").rglob("*.pcapng")])
ROUNDS = 24
LONGEST_S = 10
EDGES = (0, 1, 0x7F, 0x80, 0xFF)


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """Return the file with bytes set, pieces cut out, doubled or swapped, or its end missing."""
    data = bytearray(whole)
    for _ in range(chance.choice((1, 2, 8, 40))):
        at = chance.randrange(len(data))
        length = chance.choice((1, 2, 4, 8, 64))
        match chance.randrange(6):
            case 0 | 1:
                data[at] = chance.randrange(256)
            case 2:
                data[at : at + length] = bytes(chance.choice(EDGES) for _ in data[at : at + length])
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length]
            case _:
                del data[max(at, 64) :]
        if not data:
            return b""
    return bytes(data)


def tell(data: bytes) -> None:
    """Read it, and write it in each form."""
    started = time.process_time()
    try:
        report = review_capture(io.BytesIO(data))
    except MalformedInputError as error:
        assert str(error).isprintable()  # noqa: PT017 - refusal is one of two right ends
    else:
        text = render_capture(report, width=80, verbose=True) + render_capture_json(report)
        assert text.replace("\n", "").isprintable()
    assert time.process_time() - started < LONGEST_S


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_a_mutated_capture_is_told_or_refused(path: Path) -> None:
    whole = path.read_bytes()
    for form in (whole, as_pcap(whole)):
        for seed in range(ROUNDS):
            tell(mutated(form, dice(seed)))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_mutated_frames_in_a_sound_file_are_told(path: Path) -> None:
    """What is wrong inside a frame never refuses the file."""
    chance = dice(7)
    whole = bytearray(path.read_bytes())
    taken = list(open_capture(io.BytesIO(bytes(whole))).frames())
    for _ in range(ROUNDS):
        data = bytearray(whole)
        at = 0
        for _, _, buffer, start, kept, _, _ in taken:
            place = whole.find(buffer[start : start + kept], at)
            at = place + kept
            for _ in range(3):
                data[chance.randrange(place, at)] = chance.choice((*EDGES, chance.randrange(256)))
        assert review_capture(io.BytesIO(bytes(data))).seen.frames == len(taken)
        tell(bytes(data))
