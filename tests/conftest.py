"""What every test may ask for. A live test without root or an engine is skipped; where the live suite is required
(DNETSNIFF_REQUIRE_LIVE=1, as in CI) that is a failure."""

import os
from typing import Any

import pytest
from commands import dnetsniff

REQUIRED = bool(os.environ.get("DNETSNIFF_REQUIRE_LIVE"))


def _engine_answers() -> bool:
    from inspector.discover.engine import connect
    from inspector.errors import InspectorError
    from inspector.model.engine_choice import EngineChoice

    try:
        engine = connect(EngineChoice())
        engine.identity()
    except InspectorError:
        return False
    engine.close()
    return True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    root = os.geteuid() == 0
    wanted = any(item.get_closest_marker("docker") for item in items)
    engine = root and wanted and _engine_answers()
    for item in items:
        if item.get_closest_marker("kernel") and not root:
            item.add_marker(_refusal("needs root"))
        if item.get_closest_marker("docker") and not engine:
            item.add_marker(_refusal("needs root and a Docker engine"))


def _refusal(why: str) -> pytest.MarkDecorator:
    return pytest.mark.usefixtures("live_suite_is_required") if REQUIRED else pytest.mark.skip(reason=why)


@pytest.fixture
def live_suite_is_required() -> None:
    pytest.fail("this live test cannot run here, and DNETSNIFF_REQUIRE_LIVE forbids skipping it")


@pytest.fixture(scope="session")
def run() -> Any:
    return dnetsniff
