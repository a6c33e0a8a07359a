"""Which engine is meant, in the user's words."""

from msgspec import Struct


class EngineChoice(Struct, frozen=True):
    """An engine by address or by context; neither means what `docker` itself would take."""

    host: str | None = None
    context: str | None = None
