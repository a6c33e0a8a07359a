"""`dnetsniff explain FILE`: a capture of any program is told; what is none is refused in a sentence."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import PROGRAM, Ran, dnetsniff

from captures import as_pcap

WORLD = Path(__file__).parents[1] / "worlds" / "switched"
CAPTURE = WORLD / "frames.pcapng"
GOLDEN = Path(__file__).parents[1] / "golden" / "capture-switched.txt"


def piped(data: bytes, *words: str) -> Ran:
    """Give a capture by standard input."""
    done = subprocess.run([*PROGRAM, "explain", "-", *words], input=data, capture_output=True, check=False, timeout=60)
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture(params=["file", "pipe", "classic"])
def explained(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., Ran]:
    if request.param == "file":
        return lambda *words: dnetsniff("explain", str(CAPTURE), *words)
    if request.param == "pipe":
        return lambda *words: piped(CAPTURE.read_bytes(), *words)
    (tmp_path / "classic.pcap").write_bytes(as_pcap(CAPTURE.read_bytes()))
    return lambda *words: dnetsniff("explain", str(tmp_path / "classic.pcap"), *words)


def test_it_is_told_in_each_form(explained: Callable[..., Ran]) -> None:
    text, document = explained(), explained("--format", "json")
    assert (text.status, text.err, document.status) == (0, "", 0)
    assert text.out.endswith(explained("-q").out)
    assert json.loads(document.out)["schema"] == "dnetsniff.capture/1"
    assert json.loads(document.out)["echoes"][0]["answered"] == 3


def test_a_file_of_ours_is_told_like_one_of_anybody(tmp_path: Path) -> None:
    target = tmp_path / "told.txt"
    ran = dnetsniff("explain", str(CAPTURE), "-o", str(target))
    assert (ran.status, ran.out) == (0, "")
    assert target.read_text().split() == GOLDEN.read_text().split()


def test_a_last_block_cut_off_is_a_warning_and_the_rest_is_told() -> None:
    ran = piped(CAPTURE.read_bytes()[:-5])
    assert ran.status == 0
    assert "warning  the last block is cut off" in ran.out


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "standard input: the file is empty"),
        (b"no capture", "neither pcap nor pcapng"),
        (b"\x1f\x8b" + bytes(20), "compressed"),
        (CAPTURE.read_bytes()[:100] + bytes(100), "malformed pcapng at byte"),
    ],
)
def test_what_is_no_capture_is_refused_in_a_sentence(data: bytes, why: str) -> None:
    ran = piped(data)
    assert (ran.status, ran.out, ran.err.count("\n")) == (65, "", 1)
    assert why in ran.err


def test_standard_input_that_is_closed() -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *PROGRAM, "explain", "-"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (66, "", 1)


def test_a_capture_cannot_be_kept_as_a_recording(tmp_path: Path) -> None:
    ran = dnetsniff("explain", str(CAPTURE), "-w", str(tmp_path / "kept"))
    assert (ran.status, ran.err.count("\n"), (tmp_path / "kept").exists()) == (2, 1, False)
