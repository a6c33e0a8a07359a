"""The course on a live engine: every lesson says what the engine shows, and leaves nothing of its own."""

import signal
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from commands import PROGRAM, docker
from upstream_place import Upstream

from inspector.course import catalogue
from inspector.lab.layout import MEMBERS

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
LAB = {each.name for each in MEMBERS}
OTHERWISE = "Believe the trace"


@pytest.fixture
def left(course: str) -> Iterator[None]:
    """Hold what a lesson leaves against what was there before it."""
    before = there()
    yield
    assert there() == before


def there() -> tuple[list[str], ...]:
    containers = docker("ps", "-a", "--format", "{{.Names}} {{.Networks}}").splitlines()
    networks = docker("network", "ls", "--format", "{{.Name}}").splitlines()
    images = docker("images", "--format", "{{.Repository}}:{{.Tag}}").splitlines()
    return sorted(containers), sorted(networks), sorted(images)


def test_all_lessons_hold_on_this_engine(run: Run, left: None, upstream: Upstream) -> None:
    ran = run("lesson", "all", "--dns", upstream.address, "--lang", "en")
    assert ran.status == 0, ran.out + ran.err
    assert OTHERWISE not in ran.out
    assert ran.err == "the lab stood before, and was left as it was\n"
    for name in catalogue.names():
        assert f"\n{name}  " in ran.out
    assert ran.out.count("Live, on Docker Engine") == len(catalogue.names())
    assert "\x1b" not in ran.out


def test_an_interrupted_lesson_takes_its_own_away(left: None) -> None:
    with subprocess.Popen(
        [*PROGRAM, "lesson", "clusters", "--lang", "en"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as lesson:
        assert lesson.stdout is not None
        # By now its networks and containers are there, and the trace has begun.
        next(line for line in lesson.stdout if "dnetsniff trace redis01" in line)
        lesson.send_signal(signal.SIGINT)
        _, told = lesson.communicate(timeout=60)
    assert lesson.returncode == 130, told
    assert told.split("\n") == ["the lab stood before, and was left as it was", "", ""]


def test_a_name_that_is_taken_is_left_to_its_owner(run: Run, left: None, course: str) -> None:
    docker("create", "--name", "redis02", course)
    try:
        ran = run("lesson", "clusters", "--lang", "en")
        assert ran.status == 2
        assert "there is already a container called redis02" in ran.err
        assert docker("inspect", "-f", "{{.State.Status}}", "redis02") == "created"
    finally:
        docker("rm", "redis02")
