"""How modules are loaded where loading is what a run spends its time on: nothing is changed in what they do.

1. Libraries compile hundreds of patterns while they are loaded and use few: urllib3's for an address take 7 ms, all of
   a trace's 40. A pattern is compiled when it is first used instead.
2. Libraries try others and do without: what they would use for nothing here is left out. Or they take a word from a
   large module: something else stands in for it.
3. Who waits for another process loads meanwhile what comes next.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

_compile = re.compile


class _Pattern:
    """A pattern that is compiled when something is asked of it."""

    def __init__(self, *given: Any) -> None:
        self._given = given

    def __getattr__(self, name: str) -> Any:
        """Be the compiled one from now on; a pattern that is none raises here what `re.compile` would have raised."""
        found = getattr(_compile(*self._given), name)
        self.__dict__[name] = found
        return found


@contextmanager
def patterns_when_used() -> Iterator[None]:
    """Let modules that are loaded in the block put their patterns off.

    Not for code that asks whether something is an `re.Pattern`, or gives one to a function of `re`.
    """
    re.compile = _Pattern  # type: ignore[assignment]
    try:
        yield
    finally:
        re.compile = _compile


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Let modules be loaded as if these were not installed; what is loaded already stays."""
    absent = [name for name in names if name not in sys.modules]
    # None makes an import fail (importlib's own convention).
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


@contextmanager
def stand_ins(wanted: Mapping[str, Mapping[str, object]]) -> Iterator[None]:
    """Let modules be loaded that take from these ones what is given here, and nothing else; what is loaded stays."""
    absent = [name for name in wanted if name not in sys.modules]
    for name in absent:
        sys.modules[name] = ModuleType(name)
        sys.modules[name].__dict__.update(wanted[name])
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


def load_until(ready: Callable[[], bool], names: Iterable[str]) -> None:
    """Load modules, in this order, as long as there is nothing better to do; `load` is called of those that have it."""
    for name in names:
        if ready():
            return
        load(name)


def load(*names: str) -> None:
    """Load modules, and what they say that their use will take by a function `load`."""
    for name in names:
        module = import_module(name)
        if hasattr(module, "load"):
            module.load()
