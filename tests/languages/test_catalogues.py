"""Each catalogue has every sentence of the sources, with the same values, and none that nobody says."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from inspector.capture.drop_watch import PLACE
from inspector.discover import beneath, routing
from inspector.languages import RECALLED, catalogue
from inspector.model.prediction import Expected
from inspector.model.question import Heading
from inspector.model.report import Confidence, Outcome, Severity
from inspector.model.sentence import LANGUAGES, say
from inspector.wire import drop_words

ROOT = Path(__file__).parents[2] / "inspector"
KEPT = ("plan/", "discover/", "capture/")
"""What these rooms say is kept in recordings as text."""
TABLES = (drop_words.WORDS, routing.REFUSALS, beneath._WORDS)
"""Words that are looked up and said as they stand."""
ERRORS = "# errno, as strerror(3) writes it"


def calls() -> Iterator[tuple[str, ast.Call]]:
    for path in sorted(ROOT.rglob("*.py")):
        place = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            if named and node.func.id in {"say", "join"} and place != "model/sentence.py":
                yield place, node


SAID = [(place, node.args[0], node) for place, node in calls()]
TEMPLATES = {first.value: place for place, first, _ in SAID if isinstance(first, ast.Constant)}
TABLED = {words for table in TABLES for words in table.values()} | {PLACE}
OTHERS = pytest.mark.parametrize("language", LANGUAGES[1:])


def gaps(template: str) -> Counter[tuple[str, str | None]]:
    return Counter({(name, spec) for _, name, spec, _ in Formatter().parse(template) if name is not None})


def kept(language: str) -> dict[str, str]:
    return tomllib.loads((ROOT / "languages" / language / RECALLED).read_text(encoding="utf-8"))


def test_what_is_said_is_written_where_it_is_said() -> None:
    assert [(place, node.lineno) for place, first, node in SAID if not isinstance(first, ast.Constant)] == []


def test_a_sentence_is_given_the_values_that_it_has_gaps_for() -> None:
    wrong = [
        (place, first.value)
        for place, first, node in SAID
        if isinstance(first, ast.Constant) and node.func.id == "say"  # type: ignore[attr-defined]
        if not any(each.arg is None for each in node.keywords)
        if {each.arg for each in node.keywords} != {name for name, _ in gaps(first.value)}
    ]
    assert wrong == []


@OTHERS
def test_every_sentence_is_there(language: str) -> None:
    missing = {*TEMPLATES, *TABLED} - catalogue(language).templates.keys()
    assert sorted(missing) == []


@OTHERS
def test_none_is_stale(language: str) -> None:
    text = (ROOT / "languages" / language / RECALLED).read_text(encoding="utf-8")
    of_the_kernel = tomllib.loads(text[text.index(ERRORS) :].split("\n\n")[0])
    stale = catalogue(language).templates.keys() - {*TEMPLATES, *TABLED, *of_the_kernel}
    assert sorted(stale) == []


@OTHERS
def test_it_has_the_same_values(language: str) -> None:
    wrong = {ours: theirs for ours, theirs in catalogue(language).templates.items() if gaps(ours) != gaps(theirs)}
    assert wrong == {}


@OTHERS
def test_no_sentence_stands_in_two_files(language: str) -> None:
    files = (ROOT / "languages" / language).glob("*.toml")
    counts = Counter(key for file in files for key in tomllib.loads(file.read_text(encoding="utf-8")))
    assert [key for key, count in counts.items() if count > 1] == []


@OTHERS
def test_what_a_recording_keeps_is_recognized_by_its_text(language: str) -> None:
    known = kept(language)
    lists = {first.value for _, first, node in SAID if isinstance(first, ast.Constant) and node.func.id == "join"}  # type: ignore[attr-defined]
    said = {template for template, place in TEMPLATES.items() if place.startswith(KEPT)} - lists
    assert sorted(said - known.keys()) == []


@OTHERS
def test_words_of_enumerations(language: str) -> None:
    words = catalogue(language).words
    for kind in (Outcome, Severity, Confidence, Expected, Heading):
        assert {f"{kind.__name__}.{each}" for each in kind} <= words.keys()
    assert catalogue(language)(Outcome.DROPPED) != "dropped"


def test_a_sentence_in_a_sentence() -> None:
    chinese = catalogue("zh")
    sentence = say(
        "{said}; it never came to {point}", said=say("last seen at {last_seen}", last_seen="a/b"), point="c/d"
    )
    assert chinese(sentence) == "最后一次出现在 a/b；它一直没有到达 c/d"


def test_text_of_a_recording() -> None:
    chinese = catalogue("zh")
    assert chinese("web/eth0 is down") == "web/eth0 处于停用状态（down）"
    assert chinese("the host would route it to nobody") == "the host would route it to nobody"
    assert chinese("web") == "web"
