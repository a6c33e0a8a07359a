"""Give tests of the archive a saved recording."""

from pathlib import Path

import pytest
from recordings import recording, save


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Save a recording with something of everything."""
    save(recording(), tmp_path / "trace")
    return tmp_path / "trace"
