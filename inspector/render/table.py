"""Align cells in columns, folded where a terminal is too narrow for them. Pure; the one door to rich."""

from collections.abc import Iterable, Iterator

from inspector.render.text import NARROW, columns

GAP = 2


def table(rows: Iterable[tuple[str, ...]], width: int | None = None) -> Iterator[str]:
    """Align rows of cells; what is wider than `width` columns is folded, each cell inside its own column.

    None leaves lines as long as they are: who reads them is a program or a file. So does a terminal of less than 80
    columns, where folded cells would be a word wide.
    """
    known = [tuple(cell.rstrip() for cell in row) for row in rows]
    lines = list(columns(known))
    if width is None or width < NARROW or all(len(line) <= width for line in lines):
        yield from lines
    else:
        yield from _folded(known, width)


def _folded(rows: list[tuple[str, ...]], width: int) -> Iterator[str]:
    # Takes 30 to 40 ms to load, and most terminals are wide enough.
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    margin = min(len(row[0]) - len(row[0].lstrip()) for row in rows)
    grid = Table.grid(padding=(0, GAP, 0, 0))
    for _ in range(max(len(row) for row in rows)):
        grid.add_column(overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell[margin:] if number == 0 else cell) for number, cell in enumerate(row)))
    console = Console(width=width - margin, color_system=None, highlight=False)
    for line in console.render_lines(grid, pad=False):
        yield " " * margin + "".join(segment.text for segment in line).rstrip()
