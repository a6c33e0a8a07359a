"""Open the world that lessons are played on: the lab on a live engine, or the recordings where there is none.

1. A lab that stands is used and left; one that is built here is taken down, also after an interruption.
2. No engine and no privilege are no error: the recordings are shown, and the reader is told why.
"""

import select
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from msgspec import Struct

from inspector.course.lesson import Lesson
from inspector.course.play import Page
from inspector.course.world import Live, Replayed, World
from inspector.discover.engine import Engine, connect
from inspector.discover.survey import host_routes
from inspector.errors import EngineUnreachableError, InspectorError, PrivilegeError
from inspector.lab.build import down, status, up
from inspector.model.engine_choice import EngineChoice
from inspector.model.topology import EngineIdentity
from inspector.worker import Worker

AHEAD = ("inspector.capture.lookup_recorder", "inspector.capture.recorder")
"""What the worker loads while the lab is built."""


class Opened(Struct, frozen=True):
    """A world, and how to say where it comes from."""

    world: World
    where: Callable[[Lesson], str]


def replayed(engine: str | None, page: Page, because: str | None = None) -> Opened:
    """Open the recordings; `because` is the key of the word that says why it is not live."""
    world = Replayed(engine)
    key, why = ("replayed", {}) if because is None else ("replayed_because", {"why": page.word(because)})
    return Opened(world, lambda lesson: page.word(key, engine=_named(world.engine(lesson)), **why))


@contextmanager
def live_or_replayed(
    choice: EngineChoice,
    page: Page,
    *,
    nameservers: Iterable[str],
    wakeup: int,
    tell: Callable[[str], None],
    undisturbed: Callable[[], AbstractContextManager[object]],
) -> Iterator[Opened]:
    """Open a live engine, with the lab on it, or else the recordings. `wakeup` turns readable on an interruption."""
    with ExitStack() as until:
        worker = until.enter_context(Worker(AHEAD, wakeup))
        try:
            engine = connect(choice)
            until.callback(engine.close)
            routes = host_routes(engine)
        except EngineUnreachableError:
            yield replayed(None, page, "no_engine")
            return
        except PrivilegeError:
            yield replayed(None, page, "no_privilege")
            return
        if not engine.tongue.holds_the_course:
            yield replayed(None, page, "other_engine")
            return
        if not status(engine):
            tell(page.word("building"))
        try:
            built = _build(engine, routes, nameservers, wakeup)
        except KeyboardInterrupt:
            tell(page.word("took_down"))
            raise
        live = Live(engine, lambda: connect(choice), worker)
        try:
            yield Opened(live, lambda _lesson: page.word("live", engine=_named(engine.identity())))
        finally:
            with undisturbed():
                try:
                    live.leave()
                finally:
                    if built:
                        down(engine)
                tell(page.word("took_down" if built else "left_lab"))


def _build(engine: Engine, routes: list[str], nameservers: Iterable[str], wakeup: int) -> bool:
    """Build the lab where it does not stand; say whether it was built."""
    try:
        _, built = up(
            engine,
            image=None,
            subnet=None,
            host_routes=routes,
            nameservers=nameservers,
            again="dnetsniff lab up",
            interrupted=lambda: bool(select.select([wakeup], [], [], 0)[0]),
        )
    except InspectorError as error:
        hint = f"{error.hint}; or" if error.hint else "else"
        raise type(error)(error.message, f"{hint} watch the recordings: dnetsniff lesson ... --replay") from error
    return built


def _named(engine: EngineIdentity) -> str:
    return f"{engine.name} {engine.version}"
