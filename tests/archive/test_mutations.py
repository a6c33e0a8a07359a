"""No recording, however broken, ends in anything but a report or one sentence. Each run breaks them alike."""

import copy
import json
import random
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fuzzing import dice

from inspector import archive, archive_document
from inspector.errors import InspectorError
from inspector.pipeline import review
from inspector.render.report_json import render_json
from inspector.render.report_text import render_text
from inspector.wire import pcapng_reader

ROOT = Path(__file__).parents[2]
WORLDS = sorted(each for each in (ROOT / "tests" / "worlds").iterdir() if each.is_dir())
SAMPLES = sorted(each.parent for each in (ROOT / "captures" / "samples").rglob("recording.json"))
WILD: list[Any] = [
    None, True, 0, -1, 2**32, 2**63, 2**64, 1e300, 1.5, "", "x", "\x1b[2J\u202e", "0.0.0.0", "::1", "fe80::1%eth0",
    "a" * 300, "..", [], {}, [[]], {"kind": "sent"}, "host", "ff",
]  # fmt: skip
ROUNDS = {**dict.fromkeys(WORLDS, 12), **dict.fromkeys(SAMPLES, 2)}

Place = tuple[str | int, ...]


@pytest.mark.parametrize("world", ROUNDS, ids=lambda each: "-".join(each.parts[-3:]))
def test_a_broken_document_is_a_sentence_or_a_report(world: Path) -> None:
    whole = json.loads((world / "recording.json").read_text())
    places = list(_places(whole))
    with (world / "frames.pcapng").open("rb") as stream:
        capture = pcapng_reader.read(stream)
    for number in range(ROUNDS[world]):
        chance = dice(world.relative_to(ROOT), number)
        document = copy.deepcopy(whole)
        _break(document, chance.choice(places), chance)
        _think(json.dumps(document).encode(), capture, world)


@pytest.mark.parametrize("world", ROUNDS, ids=lambda each: "-".join(each.parts[-3:]))
def test_broken_bytes_are_a_sentence_or_a_report(world: Path) -> None:
    text, frames = (bytearray((world / name).read_bytes()) for name in ("recording.json", "frames.pcapng"))
    for number in range(ROUNDS[world]):
        chance = dice(world.relative_to(ROOT), number)
        broken = [bytearray(text), bytearray(frames)]
        for _ in range(chance.randrange(1, 9)):
            file = broken[number % 2]
            file[chance.randrange(len(file))] = chance.randrange(256)
        try:
            capture = pcapng_reader.read(BytesIO(bytes(broken[1])))
        except InspectorError:
            continue
        _think(bytes(broken[0]), capture, world)


def _think(text: bytes, capture: pcapng_reader.Capture, world: Path) -> None:
    try:
        recording = archive._with_frames(archive_document.read(text).recording, capture, world)
    except InspectorError:
        return
    report = review(recording)
    render_json(report)
    shown = render_text(report, width=100, verbose=True)
    assert all(line.isprintable() for line in shown.split("\n"))


def _places(value: Any, place: Place = ()) -> Iterator[Place]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in members:
        yield (*place, key)
        yield from _places(each, (*place, key))


def _break(document: Any, place: Place, chance: random.Random) -> None:
    for step in place[:-1]:
        document = document[step]
    key, value = place[-1], document[place[-1]]
    if isinstance(document, list) and chance.random() < 0.5:
        del document[key]
    elif isinstance(value, list) and value:
        document[key] = chance.choice([[], value * 2, value[::-1]])
    elif isinstance(value, int) and not isinstance(value, bool):
        document[key] = value + chance.choice([-1, 1, -(10**6), 2**32])
    else:
        document[key] = copy.deepcopy(chance.choice([each for each in WILD if type(each) is type(value)] or WILD))
