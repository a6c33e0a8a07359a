"""What is installed from a wheel: the recordings of the course are in it, and are found."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from inspector.course import samples

ROOT = Path(__file__).parents[1]
LESSON = "from inspector.cli.main import main; main()"
FOLDER = "from inspector.course import samples; print(samples.root())"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and unpack it, which is what pip does."""
    built = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", built],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    (wheel,) = built.glob("*.whl")
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def ran(program: str, folder: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    words = (sys.executable, "-P", "-c", program, *words)
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout


def test_the_recordings_of_the_wheel_are_taken(installed: Path) -> None:
    assert ran(FOLDER, installed).strip() == str(installed / "inspector" / "course" / "samples")


def test_every_recording_is_there(installed: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}

    assert files(installed / "inspector" / "course" / "samples") == files(samples.root())


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_lesson_is_replayed_from_it(installed: Path, lang: str) -> None:
    shown = ran(LESSON, installed, "lesson", "link", "--replay", "--lang", lang)
    assert "Docker Engine 28" in shown
    assert "dnetsniff resolve tomcat03 tomcat01" in shown
