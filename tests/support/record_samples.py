"""Record the course: each step of each lesson, on a new engine of this machine's dockerd and on the engines named.

An engine that is named (by its Unix socket) must be empty. Each has a name server of ours beside it. What is kept says
nothing of the machine it was made on: the engine's host is an empty namespace, and the machine goes by MACHINE.
`make samples`, with ENGINES="unix:///..."; look at the difference before committing.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from private_engine import private_engine
from upstream_place import upstream_beside
from write_reports import write_report

from inspector.course import catalogue, samples
from inspector.course.facts import Facts
from inspector.course.lesson import Lesson, Step, Verb
from inspector.course.opening import AHEAD
from inspector.course.world import Live
from inspector.discover.engine import Engine, connect
from inspector.discover.survey import host_namespace, host_routes
from inspector.keep import keep
from inspector.lab.build import down, up
from inspector.model.engine_choice import EngineChoice
from inspector.worker import Worker

SAMPLES = Path(__file__).parents[2] / "captures" / "samples"
MACHINE = os.uname_result(("Linux", "classroom", "6.1", "#1", "x86_64"))
"""What a recording says of the machine."""


def main() -> int:
    """Return 1 where a named engine could not be recorded."""
    os.uname = lambda: MACHINE  # what is kept is not about this machine
    with private_engine() as own:
        done = {record(own.url)}
    for url in sys.argv[1:]:
        done.add(record(url))
    kept = {each for name in catalogue.names() for each in samples.engines(name)} - done
    for each in sorted(kept):
        print(f"engine {each}: not named, so its recordings are kept as they are")
    return 0


def record(url: str) -> str:
    """Record all lessons on an engine; return the release."""
    choice = EngineChoice(host=url)
    with ExitStack() as until:
        worker = until.enter_context(Worker(AHEAD))
        engine = until.enter_context(closing(connect(choice)))
        assert not engine.containers(), f"{url} has containers: it must be empty"
        release = samples.release(engine.identity().version)
        host = until.enter_context(host_namespace(engine))
        server = until.enter_context(upstream_beside(host.fd))
        server.serve({})
        for name in catalogue.names():
            lesson = catalogue.find(name)
            folder = SAMPLES / name / release
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            with lab(engine, server.address):
                play(lesson, Live(engine, lambda: connect(choice), worker), folder)
            print(f"engine {release}: {name}, {sum(1 for _ in folder.iterdir())} recordings")
    return release


@contextmanager
def lab(engine: Engine, nameserver: str) -> Iterator[None]:
    """Build the lab anew for each lesson, so that each begins with what the kernel knows of a new one."""
    up(engine, image=None, subnet=None, host_routes=host_routes(engine), again="", nameservers=[nameserver])
    try:
        yield
    finally:
        down(engine)


def play(lesson: Lesson, live: Live, folder: Path) -> None:
    """Keep each step that is asked, and the report it gives."""
    try:
        for step in lesson.steps:
            known = Facts(live.prepare(lesson, step), "")
            if step.verb is Verb.LS:
                continue
            recording = live.record(step, known, whole=is_whole(lesson, step))
            keep(recording, folder / step.id)
            write_report(folder / step.id)
            # What is shipped is for everybody to read.
            (folder / step.id).chmod(0o755)
            for file in (folder / step.id).iterdir():
                file.chmod(0o644)
    finally:
        live.leave()


def is_whole(lesson: Lesson, step: Step) -> bool:
    """Whether `ls` is shown from this recording."""
    return any(each.verb is Verb.LS and each.sample == step.id for each in lesson.steps)


if __name__ == "__main__":
    sys.exit(main())
