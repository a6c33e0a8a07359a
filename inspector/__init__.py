"""dnetsniff: show what a Docker network does to a packet.

From Python: `trace`, `resolve`, `survey`, `load`, `review` and more (docs/python.md). They are loaded when they are
first used, so that `import inspector` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inspector.api import (
        InspectorError,
        Recording,
        Report,
        Topology,
        headers_only,
        load,
        redact,
        resolve,
        review,
        save,
        survey,
        trace,
    )

__version__ = "0.1.0"
__all__ = [
    "InspectorError",
    "Recording",
    "Report",
    "Topology",
    "__version__",
    "headers_only",
    "load",
    "redact",
    "resolve",
    "review",
    "save",
    "survey",
    "trace",
]


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Find what is public in inspector.api (PEP 562); a type checker knows it from above, and nothing else."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module("inspector.api"), name)


def __dir__() -> list[str]:
    """List what is public, loaded or not."""
    return sorted(__all__)
