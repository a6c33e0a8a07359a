"""A lesson as values: what is set up, what is asked, and what should come of it. Nothing here is in any language."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.report import Outcome


class Verb(StrEnum):
    """What a step does, by the name of the command."""

    TRACE = "trace"
    RESOLVE = "resolve"
    LS = "ls"


class Connect(Struct, frozen=True):
    """Put a container of the lab on one more network."""

    container: str
    network: str


class MakeNetwork(Struct, frozen=True):
    """Make a bridge network; the engine chooses its addresses."""

    name: str


class Run(Struct, frozen=True):
    """Start one more container."""

    name: str
    network: str
    """A network, or `host`, `none` or `container:NAME`."""
    publish: tuple[int, int] | None = None
    """(port of the host, port of the container)."""
    bare: bool = False
    """From an image that holds one program and no tool."""


class Listen(Struct, frozen=True):
    """Have something take TCP connections in a container."""

    container: str
    port: int


SetUp = Connect | MakeNetwork | Run | Listen


class Step(Struct, frozen=True):
    """One question of a lesson. `{NAME}` and `{NAME@NETWORK}` in its words stand for a container's address."""

    id: str
    verb: Verb
    words: tuple[str, ...]
    """Source and destination, or source and name; nothing for `ls`."""
    typed: tuple[str, ...]
    """What a person without dnetsniff would type."""
    sample: str
    """The recorded step that it is replayed from: its own, or for `ls` the one whose topology it shows."""
    set_up: tuple[SetUp, ...] = ()
    """Done before it, and undone when the lesson ends."""
    forget: str | None = None
    """The bridges forget which port this container is behind, just before it is asked: as after 300 s of silence."""
    count: int = 3
    timeout_s: float = 1.0
    look_up: bool = True
    outcomes: tuple[Outcome, ...] = ()
    """How it may end, by what the texts say; empty for `ls`."""
    findings: tuple[str, ...] = ()
    """Findings that the texts speak of."""


class Lesson(Struct, frozen=True):
    """One lesson of the course."""

    name: str
    rows: tuple[int, ...]
    """Which rows of the course (docs/course.md) it shows; none for what goes beyond them."""
    steps: tuple[Step, ...]
