"""What every test may ask for. A live test without root or an engine is skipped; where the live suite is required
(DNETSNIFF_REQUIRE_LIVE=1, as in CI) that is a failure."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from typing import Any

import leftovers
import pytest
from commands import dnetsniff
from fuzzing import LONG
from hypothesis import HealthCheck, settings
from private_engine import private_engine
from private_podman import missing_of_podman

from inspector.discover.engine import Engine, connect
from inspector.errors import InspectorError
from inspector.model.engine_choice import EngineChoice

LIVE = ("kernel", "docker", "podman")
EXAMPLES = 250 if LONG else 100
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=EXAMPLES
)
settings.load_profile("any machine")
"""How long an example takes says more about what else the machine does than about us."""


_own = ExitStack()


@cache
def _engine_answers() -> bool:
    try:
        engine = connect(EngineChoice())
    except InspectorError:
        return False
    try:
        engine.identity()
    except InspectorError:
        return False
    finally:
        engine.close()
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse before any fixture is made: a session fixture must not fail first, in other words."""
    live = [name for name in LIVE if item.get_closest_marker(name)]
    if live and os.geteuid() != 0:
        _refuse("needs root")
    if "docker" in live and not _engine_answers():
        _refuse("needs a Docker engine")
    if "podman" in live and (missing := missing_of_podman()):
        _refuse(f"needs {missing}")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to let several processes wait for each other's engine."""
    if config.getoption("numprocesses", None) and os.environ.get("DOCKER_HOST"):
        raise pytest.UsageError("DOCKER_HOST names one engine, which one process has for itself: leave -n away")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have an engine for this session alone before the first live test: its own, or the one that DOCKER_HOST names."""
    live = {mark for item in session.items for mark in LIVE if item.get_closest_marker(mark)}
    if not live or os.geteuid() != 0 or session.config.option.collectonly:
        return
    capture = session.config.pluginmanager.getplugin("capturemanager")
    assert capture is not None

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            print(line, file=sys.stderr, flush=True)

    leftovers.sweep_machine()
    if "docker" in live and not os.environ.get("DOCKER_HOST") and shutil.which("dockerd"):
        os.environ["DOCKER_HOST"] = _own.enter_context(private_engine()).url
    elif "docker" in live and _engine_answers():
        leftovers.hold_engine(say)
        # The one that was waited for may have been killed.
        leftovers.sweep_machine()
        leftovers.sweep_engine()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Take the session's own engine down."""
    _own.close()


def _refuse(why: str) -> None:
    if os.environ.get("DNETSNIFF_REQUIRE_LIVE"):
        pytest.fail(f"{why}, and DNETSNIFF_REQUIRE_LIVE forbids skipping it", pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Connect to the engine that the tests run against."""
    connected = connect(EngineChoice())
    yield connected
    connected.close()


@pytest.fixture(scope="session")
def run() -> Any:
    return dnetsniff
