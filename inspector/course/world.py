"""Where the traces of a lesson come from: a live engine with the lab on it, or the shipped recordings."""

from collections.abc import Callable, Mapping
from typing import Protocol

from inspector.archive import load
from inspector.course import facts, samples
from inspector.course.facts import Facts
from inspector.course.forgetting import forget
from inspector.course.lesson import Lesson, Step, Verb
from inspector.course.stage import Stage
from inspector.discover.engine import Engine
from inspector.host import LiveHost
from inspector.model.question import Question
from inspector.model.recording import Recording
from inspector.model.topology import EngineIdentity, Topology
from inspector.pipeline import THINKING, record
from inspector.plan.target import read_target, words_of
from inspector.worker import Worker


class World(Protocol):
    """What a lesson is played on."""

    def prepare(self, lesson: Lesson, step: Step) -> Mapping[str, str]:
        """Set the step up, and return the addresses of what is there."""
        ...

    def ask(self, lesson: Lesson, step: Step, known: Facts) -> Topology | Recording:
        """Ask what the step asks."""
        ...

    def leave(self) -> None:
        """Undo what the lesson made. Raises InspectorError."""
        ...


class Replayed:
    """The shipped recordings of one engine, or of the newest one."""

    def __init__(self, engine: str | None) -> None:
        """Take an engine version as samples.engines lists them; None is the newest."""
        self._engine = engine

    def engine(self, lesson: Lesson) -> EngineIdentity:
        """Say which engine a lesson was recorded on."""
        return self._recording(lesson, lesson.steps[0]).topology.engine

    def prepare(self, lesson: Lesson, step: Step) -> Mapping[str, str]:
        """Return the addresses of what was there."""
        return facts.of_containers(self._recording(lesson, step).topology.containers)

    def ask(self, lesson: Lesson, step: Step, known: Facts) -> Topology | Recording:  # noqa: ARG002 - the port's signature
        """Return what was recorded."""
        recording = self._recording(lesson, step)
        return recording.topology if step.verb is Verb.LS else recording

    def leave(self) -> None:
        """Leave the recordings as they are."""

    def _recording(self, lesson: Lesson, step: Step) -> Recording:
        return load(samples.find(lesson.name, step.sample, self._engine))


class Live:
    """An engine with the lab on it. What a lesson makes beside the lab stays until `leave`."""

    def __init__(self, engine: Engine, reach: Callable[[], Engine], worker: Worker) -> None:
        """Take a connected engine, and what connects to it again: each question has a connection of its own."""
        self._reach = reach
        self._worker = worker
        self._engine = engine
        self._stage = Stage(engine)

    def prepare(self, lesson: Lesson, step: Step) -> Mapping[str, str]:  # noqa: ARG002 - the port's signature
        """Make what the step needs, and return the addresses of what is there."""
        self._stage.make(step.set_up)
        return facts.of_containers(self._engine.containers())

    def ask(self, lesson: Lesson, step: Step, known: Facts) -> Topology | Recording:  # noqa: ARG002 - the port's signature
        """Ask it of the engine and its kernel."""
        if step.verb is Verb.LS:
            with LiveHost(self._reach(), self._worker) as host:
                return host.survey()
        return self.record(step, known)

    def record(self, step: Step, known: Facts, *, whole: bool = False) -> Recording:
        """Trace or resolve; `whole` looks into all containers, as `ls` does."""
        if step.forget:
            forget(self._engine, step.forget)
        asked = question_of(step, known)
        with LiveHost(self._reach(), self._worker, None if whole else words_of(asked), THINKING) as host:
            return record(asked, host)

    def leave(self) -> None:
        """Undo what the lesson made. Raises InspectorError."""
        self._stage.clear()


def question_of(step: Step, known: Facts) -> Question:
    """Return what a step asks, as the command would."""
    source, destination = (known.fill(each) for each in step.words)
    if step.verb is Verb.RESOLVE:
        return Question(source=source, destination=destination, names_only=True)
    target = read_target(destination)
    return Question(
        source=source,
        destination=target.destination,
        protocol=target.protocol,
        port=target.port,
        count=step.count,
        timeout_s=step.timeout_s,
        lookup_timeout_s=step.timeout_s,
        look_up=step.look_up,
    )
