"""Name a kernel function by an address in it (/proc/kallsyms, proc(5)).

The file is large: it is read only where there is a name to find.
"""

from collections.abc import Callable
from pathlib import Path

from inspector.model.text import safe

KALLSYMS = Path("/proc/kallsyms")
_HIDDEN = 0
"""What the kernel writes for each address where it hides them (kernel.kptr_restrict)."""


def symbols(read: Callable[[], bytes] = KALLSYMS.read_bytes) -> Callable[[int], str]:
    """Return what names an address; it writes the address in hex where no name is known."""
    try:
        table = read()
    except OSError:
        table = b""
    return lambda address: _name(table, address) or hex(address)


def _name(table: bytes, address: int) -> str | None:
    """Search by halves: the lines (`ffffffff81000000 T name`) of the kernel itself stand in order of address."""
    low, high = 0, len(table)
    best: bytes | None = None
    while low < high:
        start = table.rfind(b"\n", low, (low + high) // 2) + 1 or low
        end = table.find(b"\n", start)
        line = table[start : end if end >= 0 else len(table)]
        at = _address(line)
        if at is None:
            return None
        if at <= address:
            best, low = line, start + len(line) + 1
        else:
            high = start
    if best is None or _address(best) in {None, _HIDDEN}:
        return None
    return safe(best.split()[2].decode("ascii", "replace"))


def _address(line: bytes) -> int | None:
    words = line.split()
    try:
        return int(words[0], 16) if len(words) > 2 else None  # noqa: PLR2004 - address, type, name
    except ValueError:
        return None
