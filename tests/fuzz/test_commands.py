"""`explain` of a file or folder that somebody damaged: a report or one sentence, an exit status of the contract.

As the fuzzers of tcpdump and Wireshark do it, 2 % of the bytes are set to others. The seed of a failure is in its name.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Ran
from forking import Forking
from fuzzing import CAPTURES, FOLDERS, LONG, SEED, dice, named, some
from hostile import Poison, obeyed

from captures import as_pcap

STATUSES = {0, 1, 3, 65, 75, 130}
"""What the contract has for a report about what was recorded, whole or not, and for a file that is none."""
FORMS: tuple[tuple[str, ...], ...] = (("-v",), ("--format", "json"), ("-q", "--lang", "zh"), ("-v", "--lang", "zh"))
ROUNDS = 10 if LONG else 4


@pytest.fixture(scope="module")
def forking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forking]:
    with Forking(tmp_path_factory.mktemp("forking")) as running:
        yield running


def judged(ran: Ran) -> Ran:
    """Hold a run to the contract."""
    assert ran.status in STATUSES, (ran.status, ran.err)
    assert "Traceback" not in ran.err
    assert "this is a bug of ours" not in ran.err
    assert obeyed(ran.out + ran.err) == ""
    assert bool(ran.out) == (ran.status != 65)
    if ran.status == 65:
        assert ran.err.count("\n") == 1
    return ran


@pytest.mark.parametrize("path", some(CAPTURES, 8, "files"), ids=named)
def test_a_damaged_capture_file(path: Path, forking: Forking, tmp_path: Path) -> None:
    whole = path.read_bytes()
    file = tmp_path / "damaged"
    for number in range(ROUNDS):
        poison = Poison((SEED, named(path), number))
        file.write_bytes(poison.damaged(as_pcap(whole) if number % 2 else whole, 0.02 if number % 4 < 2 else 0.002))
        judged(forking.run("explain", file, *FORMS[number % len(FORMS)]))


@pytest.mark.parametrize("folder", some(FOLDERS, 8, "folders"), ids=named)
def test_a_damaged_recording(folder: Path, forking: Forking, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        target = tmp_path / str(number)
        shutil.copytree(folder, target)
        poison = Poison((SEED, named(folder), number))
        for name in ("frames.pcapng", "recording.json")[number % 2 :]:
            share = 0.02 if name == "frames.pcapng" and number % 4 == 0 else 0.0002
            (target / name).write_bytes(poison.damaged((folder / name).read_bytes(), share))
        judged(forking.run("explain", target, *FORMS[number % len(FORMS)]))


@pytest.mark.parametrize("folder", some(FOLDERS, 8, "texts"), ids=named)
def test_a_recording_of_hostile_texts(folder: Path, forking: Forking, tmp_path: Path) -> None:
    """As JSON, so that what is no field of the vocabulary is poisoned as well."""
    document = json.loads((folder / "recording.json").read_text())
    for number in range(ROUNDS):
        target = tmp_path / str(number)
        shutil.copytree(folder, target)
        poison = Poison(
            (SEED, folder, number, "json"), share=dice(folder, number).choice((0.02, 0.2, 1)), addresses=number % 2 == 1
        )
        evil: dict[str, Any] = {**poison.value(document), "schema": document["schema"]}
        (target / "recording.json").write_text(json.dumps(evil))
        kept = tmp_path / f"kept-{number}"
        judged(forking.run("explain", target, *FORMS[number % len(FORMS)], "-w", kept, *["--redact"][: number % 2]))
