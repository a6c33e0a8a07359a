"""Which engine is meant, in the user's words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """An engine by address or by context; neither means what `docker` itself would take."""

    host: str | None = None
    context: str | None = None
