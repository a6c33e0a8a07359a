"""What the loop of a run needs of whatever sends its probes."""

from collections.abc import Iterator
from typing import Protocol

from inspector.model.recording import Answered, Failed, Sent


class Prober(Protocol):
    """What sends the probes of a plan from inside the source's stack, and hears what comes of them."""

    def fileno(self) -> int:
        """Return a descriptor that is readable when an answer is in."""
        ...

    def send(self, sequence: int) -> Sent | Failed:
        """Send one probe."""
        ...

    def receive(self) -> Iterator[Answered]:
        """Hand out the answers that are in."""
        ...

    def due_ns(self) -> int | None:
        """When `receive` has something to say even if nothing comes in, on the clock that only goes forward."""
        ...

    def rest(self) -> Iterator[Answered]:
        """Hand out what is known when the run ends."""
        ...

    def close(self) -> None:
        """Stop sending and hearing."""
        ...
