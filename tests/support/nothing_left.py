"""The one way in which tests ask whether a run left something: what `dnetsniff doctor --leftovers` goes by.

What a test plants so that it is found has the test's mark, and other tests pass it over.
"""

import os
from contextlib import suppress
from pathlib import Path

from private_engine import wait_until
from session_tag import new_tag

from inspector.discover.leftovers import find_leftovers
from inspector.model.leftover import Leftover

PLANTED = "DNETSNIFF_TESTS_PLANTED"
"""In the environment of a process that is planted."""


def planted_name() -> str:
    """Return a name of the kind that is ours, for something that is planted."""
    name = f"dnetsniff-{new_tag()}f"
    Path("/run/dnetsniff-tests", f"planted-{name}").touch()
    return name


def left_behind() -> tuple[Leftover, ...]:
    """List what is left on this machine, what tests have planted apart."""
    planted = {each.name.removeprefix("planted-") for each in Path("/run/dnetsniff-tests").glob("planted-*")}
    return tuple(
        each
        for each in find_leftovers().left
        if not any(name in f"{each.what} {each.place}" for name in planted) and not _is_planted(each.pid)
    )


def await_nothing_left() -> None:
    """Wait until nothing is left: what is tied to a process goes shortly after it."""
    found: tuple[Leftover, ...] = ()

    def is_empty() -> bool:
        nonlocal found
        found = left_behind()
        return not found

    try:
        wait_until(is_empty, "")
    except AssertionError:
        raise AssertionError("\n".join(str(each) for each in found)) from None


def _is_planted(pid: int | None) -> bool:
    if pid is not None:
        with suppress(OSError):
            return f"{PLANTED}=".encode() in Path("/proc", str(pid), "environ").read_bytes()
    return False


def clear_planted(name: str) -> None:
    """Take the mark of something planted away, which is gone."""
    Path("/run/dnetsniff-tests", f"planted-{name}").unlink(missing_ok=True)


def environment() -> dict[str, str]:
    """Return the environment of a process that is planted."""
    return {**os.environ, PLANTED: "1"}
