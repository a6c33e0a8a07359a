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


class Begun(Struct):
    """One process asks the engine, another one listens and sends."""

    asking: Worker
    recording: Worker | None = None
    """None where it seemed that nothing is to be listened to."""

    def recorder(self) -> Worker:
        """Return the process that listens; begin it where it was not."""
        self.recording = self.recording or Worker((LOOKING_UP, LISTENING))
        return self.recording

    def __enter__(self) -> Self:
        """Have them until the block ends."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End both."""
        self.asking.__exit__(kind, error, at)
        if self.recording is not None:
            self.recording.__exit__(kind, error, at)


def begin(*, listening: bool = True, looking_up: bool = True) -> Begun:
    """Fork them, best before much is loaded: one that listens or none, and `looking_up` names or not."""
    recording = Worker((*((LOOKING_UP,) if looking_up else ()), LISTENING)) if listening else None
    return Begun(asking=Worker((ASKING,), keeps=OF_ASKER), recording=recording)
