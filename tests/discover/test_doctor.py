"""The doctor tries things; it raises nothing, and what is missing says what it is needed for."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.discover import doctor
from inspector.discover.doctor import REQUIRED, Area, Check, State, examine
from inspector.discover.kernel import SETTINGS
from inspector.model.engine_choice import EngineChoice
from inspector.privileges import OF_OWNER

NOWHERE = EngineChoice(host="unix:///nowhere.sock")
STRIPPED = """
import ctypes
library = ctypes.CDLL(None)
library.capset((ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)())
from inspector.discover.doctor import examine
from inspector.model.engine_choice import EngineChoice
for each in examine(EngineChoice(host="unix:///nowhere.sock")):
    print(each.area, each.name, each.state, each.value, sep="|")
"""
"""A process that gives up every capability (capset(2), version 3) and is examined then."""


def named(checks: tuple[Check, ...], name: str) -> Check:
    (found,) = [each for each in checks if each.name == name]
    return found


def test_every_area_is_looked_at_without_an_engine() -> None:
    checks = examine(NOWHERE)
    assert {each.area for each in checks} == set(Area)
    assert all(each.purpose for each in checks)
    assert all(each.value for each in checks)
    assert [each.name for each in checks if each.area is Area.SETTING] == list(SETTINGS)


def test_no_engine_is_said_without_sending_to_the_doctor() -> None:
    engine = named(examine(NOWHERE), "engine")
    assert engine.state is State.MISSING
    assert "cannot be reached" in engine.value
    assert "doctor" not in engine.value


def test_without_capabilities_each_is_named_and_nothing_is_raised() -> None:
    lines = subprocess.check_output([sys.executable, "-P", "-c", STRIPPED], text=True).splitlines()
    found = {tuple(line.split("|")[:3]) for line in lines}
    for each in OF_OWNER:
        assert ("privileges", each.name, "missing" if each in REQUIRED else "note") in found
    assert ("kernel", "packet ring", "missing") in found
    assert ("kernel", "network namespaces", "missing") in found
    assert ("kernel", "kernel filter", "ok") in found
    assert ("kernel", "rule tracing", "note") in found


def test_capabilities_are_those_of_the_kernel_s_header() -> None:
    """The numbers of linux/capability.h, where the machine has it; else only that they differ."""
    header = Path("/usr/include/linux/capability.h")
    known = (
        dict(re.findall(r"^#define (CAP_\w+)\s+(\d+)$", header.read_text(), re.MULTILINE)) if header.is_file() else {}
    )
    assert {known.get(each.name, str(each.bit)) == str(each.bit) for each in OF_OWNER} == {True}
    assert len({each.bit for each in OF_OWNER}) == len(OF_OWNER)


@pytest.mark.kernel
def test_as_root_everything_works() -> None:
    checks = examine(NOWHERE)
    for area in (Area.PRIVILEGE, Area.KERNEL):
        assert {each.name for each in checks if each.area is area and each.state is State.MISSING} == set()
    assert named(checks, "nf_tables").value == "works"
    assert named(checks, "rule tracing").value == "works"


def test_what_a_kernel_lacks_is_a_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(38, "Function not implemented")

    trials: tuple[str, ...] = ("_try_ring", "_try_filter", "_try_namespace", "_try_pidfd")
    for name in trials:
        replaced: Callable[[], None] = refuse
        monkeypatch.setattr(doctor, name, replaced)
    found = [each for each in examine(NOWHERE) if each.area is Area.KERNEL and each.state is State.MISSING]
    assert len(found) == len(trials)
    assert {each.value for each in found} == {"Function not implemented"}
