"""What `dnetsniff doctor --leftovers` says: what of dnetsniff is still on this machine, and how it is removed."""

import json
from collections.abc import Iterable, Iterator
from contextlib import closing

from msgspec.structs import asdict, replace

from inspector.cli.output import is_coloured, write
from inspector.discover.engine import connect
from inspector.discover.leftovers import find_leftovers
from inspector.errors import InspectorError
from inspector.lab.build import half_built
from inspector.model.engine_choice import EngineChoice
from inspector.model.leftover import Kind, Leftover, Leftovers
from inspector.render.text import Paint, Style

EXIT_NOTHING, EXIT_LEFT, EXIT_UNSEEN = 0, 1, 77


def tell_leftovers(choice: EngineChoice, form: str) -> int:
    """Look, write what was found, and return the exit status."""
    found = _with_lab(find_leftovers(), choice)
    if form == "json":
        told = {"schema": "dnetsniff.leftovers/1", **asdict(found)}
        write(json.dumps({key: _plain(value) for key, value in told.items()}, indent=2) + "\n", None)
    else:
        write("".join(f"{line}\n" for line in _lines(found)), None)
    return exit_status(found)


def exit_status(found: Leftovers) -> int:
    """Return 1 where something is left, 77 where not everything could be seen, else 0."""
    return EXIT_LEFT if found.left else EXIT_UNSEEN if found.unseen else EXIT_NOTHING


def _with_lab(found: Leftovers, choice: EngineChoice) -> Leftovers:
    """Add a lab that is not whole, where there is an engine: one that stands is there because somebody wants it."""
    try:
        with closing(connect(choice)) as engine:
            names = half_built(engine)
    except InspectorError:
        return found
    if not names:
        return found
    if found.running:
        return replace(found, running=(*found.running, Leftover(Kind.LAB, ", ".join(names), "the engine")))
    lab = Leftover(Kind.LAB, ", ".join(names), "the engine", None, "dnetsniff lab down")
    return replace(found, left=(*found.left, lab))


def _plain(value: object) -> object:
    return (
        [asdict(each) if isinstance(each, Leftover) else each for each in value] if isinstance(value, tuple) else value
    )


def _lines(found: Leftovers) -> Iterator[str]:
    paint = Paint(coloured=is_coloured(None))
    if found.left:
        yield paint("left behind", Style.STRONG)
        yield from _rows(found.left)
    else:
        yield "nothing of dnetsniff is left behind"
    if found.running:
        yield paint("of a run that goes on", Style.STRONG)
        yield from _rows(found.running)
    for each in found.unseen:
        yield f"not seen: {each}"


def _rows(found: Iterable[Leftover]) -> Iterator[str]:
    for each in found:
        holder = "" if each.pid is None else f", held by process {each.pid}"
        yield f"  {each.kind}: {each.what} in {each.place}{holder}"
        if each.remedy:
            yield f"    remove it: {each.remedy}"
