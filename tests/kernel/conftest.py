"""Give kernel tests a world, and hold them to leaving nothing behind."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from lab import Lab, descriptors, lab, threads_abroad


@pytest.fixture(scope="session")
def _world() -> Iterator[Lab]:
    if os.geteuid() != 0:
        pytest.skip("needs root")
    with lab() as made:
        yield made


@pytest.fixture
def world(_world: Lab) -> Iterator[Lab]:
    """Lend the world; afterwards no descriptor is left open and no thread abroad."""
    gc.collect()
    before = descriptors()
    yield _world
    gc.collect()
    assert threads_abroad() == []
    assert descriptors() <= before
