"""Every module is tested in a place one can find: a file of its name, or the one that this page says."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    each.relative_to(ROOT).as_posix()
    for each in (ROOT / "inspector").rglob("*.py")
    if not each.name.startswith(("__init__", "."))
)
ELSEWHERE = {
    "inspector/archive_frames.py": "tests/archive/test_lookups.py",
    "inspector/capture/": "tests/kernel/test_session.py",
    "inspector/cli/": "tests/docker/test_faults.py",
    "inspector/correlate/": "tests/test_worlds.py",
    "inspector/course/": "tests/course/test_lessons.py",
    "inspector/discover/": "tests/docker/test_trace.py",
    "inspector/errors.py": "tests/cli/test_main.py",
    "inspector/explain/": "tests/test_worlds.py",
    "inspector/following.py": "tests/docker/test_capture.py",
    "inspector/host.py": "tests/docker/test_trace.py",
    "inspector/keep.py": "tests/docker/test_trace.py",
    "inspector/netfilter/": "tests/kernel/test_chains.py",
    "inspector/plan/bpf.py": "tests/plan/test_filters.py",
    "inspector/model/": "tests/test_worlds.py",
    "inspector/pipeline.py": "tests/test_worlds.py",
    "inspector/plan/exchange": "tests/plan/test_resolver.py",
    "inspector/render/": "tests/test_worlds.py",
    "inspector/wire/": "tests/wire/test_headers.py",
    "inspector/withhold/": "tests/withhold/test_frames.py",
}
"""Where a module without a test file of its name is tested, by the start of its path; the shorter this, the better."""


@pytest.mark.parametrize("module", MODULES)
def test_each_module_has_its_test(module: str) -> None:
    name = f"test_{Path(module).stem}.py"
    own = list((ROOT / "tests").rglob(name))
    named = [place for start, place in ELSEWHERE.items() if module.startswith(start)]
    assert own or named, f"write tests/**/{name}, or say in {Path(__file__).name} where it is tested"


@pytest.mark.parametrize("place", sorted(set(ELSEWHERE.values())))
def test_the_place_that_is_named_is_there(place: str) -> None:
    assert (ROOT / place).is_file()


def test_a_file_is_short() -> None:
    """docs/architecture.md: about 300 lines; a longer one has its reason in the review, and its number here."""
    long = {each: len((ROOT / each).read_text().splitlines()) for each in MODULES}
    assert {name: lines for name, lines in long.items() if lines > 350} == {}
