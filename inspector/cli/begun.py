"""The processes that load what a command needs, begun before it is known and ended with it."""

from types import TracebackType
from typing import Self

from msgspec import Struct

from inspector.privileges import OF_ASKER
from inspector.worker import Worker

BEGUN = "inspector.cli.begun"
"""Where a click context keeps them."""
ASKING = "inspector.discover.engine_process"
LISTENING, LOOKING_UP = "inspector.capture.recorder", "inspector.capture.lookup_recorder"


class Begun(Struct, frozen=True):
    """One process asks the engine, the other one listens and sends."""

    asking: Worker
    recording: Worker

    def __enter__(self) -> Self:
        """Have them until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End both."""
        self.asking.__exit__(kind, error, at)
        self.recording.__exit__(kind, error, at)


def begin(*, looking_up: bool = True) -> Begun:
    """Fork them, best before much is loaded; `looking_up`: names will be looked up."""
    listening = Worker((*((LOOKING_UP,) if looking_up else ()), LISTENING))
    return Begun(asking=Worker((ASKING,), keeps=OF_ASKER), recording=listening)
