"""How modules are loaded: nothing that they do is changed by it."""

import re
import sys
from pathlib import Path

import pytest

from inspector.loading import load, load_until, patterns_when_used, stand_ins, without


def test_a_pattern_is_compiled_when_it_is_used() -> None:
    with patterns_when_used():
        number, broken = re.compile(r"(?P<digits>\d+)", re.ASCII), re.compile("(")
    assert not isinstance(number, re.Pattern)
    assert number.search("no 17")["digits"] == "17"
    assert number.sub("n", "a1b22") == "anbn"
    assert (number.flags & re.ASCII, number.pattern) == (re.ASCII, r"(?P<digits>\d+)")
    with pytest.raises(re.error):
        broken.match("")


def test_patterns_are_compiled_again_when_the_block_has_ended() -> None:
    with patterns_when_used(), patterns_when_used():
        pass
    assert isinstance(re.compile("a"), re.Pattern)


def test_a_module_is_missing_for_as_long_as_the_block_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with without("wave", "re"), pytest.raises(ImportError):
        import wave
    import wave

    assert wave.Error


def test_a_word_of_a_module_is_taken_from_what_stands_in_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "wave", raising=False)
    with stand_ins({"wave": {"Error": "none"}, "re": {"compile": "nothing"}}):
        from wave import Error

        assert (Error, re.compile("a").pattern) == ("none", "a")
    import wave

    assert issubclass(wave.Error, Exception)


def test_loading_goes_on_until_there_is_something_better_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ahead_one", "ahead_two", "ahead_three"):
        (tmp_path / f"{name}.py").write_text("loaded = []\ndef load():\n    loaded.append(1)\n")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    answers = iter((False, False, True))
    load_until(lambda: next(answers), ("ahead_one", "ahead_two", "ahead_three"))
    assert (sys.modules["ahead_one"].loaded, sys.modules["ahead_two"].loaded) == ([1], [1])
    assert "ahead_three" not in sys.modules
    load("ahead_three")
    assert sys.modules["ahead_three"].loaded == [1]
