"""An engine that another process asks: the SDK is loaded there, beside all that is loaded here."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from inspector.discover.engine_answers import ProcessFact
from inspector.discover.engine_view import Overview
from inspector.errors import InspectorError
from inspector.model.engine_choice import EngineChoice
from inspector.model.topology import Container
from inspector.worker import Call, Worker

if TYPE_CHECKING:
    from inspector.discover.engine import Engine


class _Reached(Struct, frozen=True):
    """Where an engine is."""

    address: str
    pid: int | None
    refusal: InspectorError | None = None
    """Why its process cannot be told."""


class EngineProcess:
    """The engine that a worker is connected to. Everything raises what `connect` and the Engine raise."""

    def __init__(self, worker: Worker, choice: EngineChoice) -> None:
        """Have it asked for its lists at once; the worker stays the caller's."""
        self._worker = worker
        self._choice = choice
        self._answers: list[Callable[[], Any]] = [worker.start(_reach, (), choice), worker.start(_list, (), choice)]
        self._known: list[Any] = []
        self._refusal: InspectorError | None = None

    @property
    def address(self) -> str:
        """Where it is reached."""
        return self._reached().address

    def peer_pid(self) -> int | None:
        """Return the process that listens on its socket, as Engine.peer_pid does."""
        reached = self._reached()
        if reached.refusal is not None:
            raise reached.refusal
        return reached.pid

    def overview(self) -> Overview:
        """Return its lists, as they were when this was made."""
        self._reached()
        found: Overview = self._answer(1)
        return found

    def processes(self, containers: Sequence[Container]) -> tuple[ProcessFact | None, ...]:
        """Say where the first process of each is; None where there is none any more."""
        self.overview()
        return self._worker.call(_processes, (), self._choice, tuple(containers))

    def close(self) -> None:
        """Leave the connections to the worker, which ends with them."""

    def has_answered(self) -> bool:
        """Whether its lists, or why there are none, can be had without waiting."""
        if not self._known and self._worker.has_answered():
            try:
                self._reached()
            except InspectorError:
                # It is raised again where it is asked for.
                return True
        return bool(self._known) and self._worker.has_answered()

    def _reached(self) -> _Reached:
        found: _Reached = self._answer(0)
        return found

    def _answer(self, number: int) -> Any:
        """Return an answer; they come in the order that was asked in."""
        if self._refusal is not None:
            raise self._refusal
        while len(self._known) <= number:
            try:
                self._known.append(self._answers[len(self._known)]())
            except InspectorError as error:
                self._refusal = error
                raise
        return self._known[number]


def load() -> None:
    """Load what asking takes, in the worker."""
    from inspector.discover.engine import load_sdk, translated

    load_sdk(by_unix_socket=True)
    with translated():
        pass


@cache
def _engine(choice: EngineChoice) -> "Engine":
    from inspector.discover.engine import connect

    return connect(choice)


def _reach(_call: Call, choice: EngineChoice) -> _Reached:
    engine = _engine(choice)
    try:
        return _Reached(engine.address, engine.peer_pid())
    except InspectorError as error:
        return _Reached(engine.address, None, error)


def _list(_call: Call, choice: EngineChoice) -> Overview:
    return _engine(choice).overview()


def _processes(_call: Call, choice: EngineChoice, containers: tuple[Container, ...]) -> tuple[ProcessFact | None, ...]:
    return _engine(choice).processes(containers)
