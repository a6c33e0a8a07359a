"""What runs first: other processes load what a command needs, while this one reads the command line.

Most of a short run is loading, and a machine has more than one core. What all of them need is loaded before they are
forked. Which command it is to be is only guessed: a wrong guess costs a little time.
"""

import gc
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from inspector.loading import patterns_when_used, without

if TYPE_CHECKING:
    from inspector.cli.begun import Begun

LISTENING_COMMANDS = frozenset({"trace", "resolve"})
ASKING_COMMANDS = LISTENING_COMMANDS | {"ls"}
NOT_ASKED = frozenset({"--help", "-h", "--version"})
"""With one of these no engine is asked."""
KNOWN_BY_ADDRESS = "--no-lookup"


def main() -> None:
    """Run the command, and leave with its exit status."""
    # A run is short: collecting cycles while modules load costs a tenth of it and frees nothing.
    gc.disable()
    try:
        with patterns_when_used():
            begun = begin_for(sys.argv[1:])
            from inspector.cli.main import main as run
    except (MemoryError, ImportError, OSError) as error:
        if "--debug" in sys.argv:
            raise
        sys.exit(_unloaded(error))
    run(begun)


def _unloaded(error: Exception) -> int:
    """Say why the program could not even be loaded, and return the exit status."""
    from inspector.errors import InspectorError, shortage

    short = shortage(error) or InspectorError(f"it cannot be loaded: {error}", "is there enough memory (ulimit -v)?")
    sys.stderr.write(f"dnetsniff: {short}\n")
    return short.exit_status


def begin_for(words: Sequence[str]) -> "Begun | None":
    """Fork what the command line seems to need."""
    if ASKING_COMMANDS.isdisjoint(words) or not NOT_ASKED.isdisjoint(words):
        return None
    # msgspec takes from it what `typing` has too, at the price of `inspect`.
    with without("typing_extensions"):
        from inspector.cli.begun import begin
    return begin(listening=not LISTENING_COMMANDS.isdisjoint(words), looking_up=KNOWN_BY_ADDRESS not in words)
