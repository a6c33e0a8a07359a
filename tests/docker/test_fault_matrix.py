"""The short form of `make faults`: each fault once, each phase of a trace at least once, on engines of our own."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from fault_cells import short, whole
from fault_matrix import Cell
from fault_page import Scenes
from fault_places import PLACES

pytestmark = pytest.mark.docker
CELLS = tuple(short())


@pytest.fixture(scope="module")
def scenes() -> Iterator[Scenes]:
    with ExitStack() as until:
        yield Scenes(until, (False, True))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_a_fault_breaks_no_promise(scenes: Scenes, cell: Cell) -> None:
    outcome = scenes.play(cell)
    assert outcome.wrong == (), outcome


def test_each_fault_and_each_phase_of_a_trace_is_tried() -> None:
    assert {each.place for each in CELLS if each.command == "trace"} >= set(PLACES["trace"])
    kinds = {each.fault.name for each in whole() if each.place}
    assert {each.fault.name for each in CELLS} >= kinds
    assert {each.command for each in CELLS} >= {"trace", "resolve", "capture", "explain", "lab"}
