"""What a survey asks of an engine, wherever that is asked from."""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from inspector.discover.engine_answers import NetworkFact, ProcessFact
from inspector.model.topology import Container, EngineIdentity


class Overview(Struct, frozen=True):
    """The engine's lists."""

    identity: EngineIdentity
    containers: tuple[Container, ...]
    networks: tuple[NetworkFact, ...]


class EngineView(Protocol):
    """An engine of this process, or one that another process asks."""

    @property
    def address(self) -> str:
        """Where it is reached."""
        ...

    def peer_pid(self) -> int | None:
        """Return the process that listens on its socket; None where that is in another pid namespace.

        Raises EngineUnreachableError where it is not reached by a Unix socket, so is not one of this kernel's.
        """
        ...

    def overview(self) -> Overview:
        """List networks and containers."""
        ...

    def processes(self, containers: Sequence[Container]) -> tuple[ProcessFact | None, ...]:
        """Say where the first process of each is; None where there is none any more."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...
