"""No English sentence is left in a report in another language, and none is written that a catalogue cannot know."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from named_cases import CASES

from inspector.archive import load
from inspector.model.report import Report
from inspector.model.sentence import LANGUAGES
from inspector.pipeline import review, review_capture
from inspector.render.capture_text import render_capture
from inspector.render.report_text import render_text, render_verdict
from inspector.render.wide import columns_of

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent / "inspector"
WORLDS = sorted(each for each in (TESTS / "worlds").iterdir() if each.is_dir())
OTHERS = pytest.mark.parametrize("language", LANGUAGES[1:])
RUN = re.compile(r"(?<![\w./-])(?:[A-Za-z][a-z']*[,;:]? ){2,}[A-Za-z][a-z']+(?![\w./-])")
"""Three words of a language that has blanks between them."""
COMMANDS = re.compile(
    r"(?:docker|podman|ip|bridge|nft|ip6?tables(?:-save)?|sysctl|ufw|nsenter|dnetsniff|systemctl|conntrack) [^（]*"
)
"""Shown as a person types them, up to the comment behind one."""
WRITTEN = re.compile(r"x (?:route|rule|network|prepend|x x udp|saddr) |(?:in|out) proto ")
"""The same in the sources, behind a gap."""
TOKENS = {
    "reset after it was accepted",
    "Destination Port Unreachable",
    "Destination unreachable: Port unreachable",
    "[rule x, gone]",
    "; firewall rules not consulted",
    "the engine's file",
}
"""Words by which values are known, in JSON and to our own code; and messages by the names that protocols gave them."""
INVENTED = re.compile(
    r"\S+ is a container, and no name on the default bridge|\S+ did not answer within \S+ s|musl: always so"
    r"|says port unreachable, seen at|cannot be asked: connection refused|a compression loop|（[A-Z][a-z ]+）"
)
"""What the tests' lookups say in place of the correlator; and the kernel's own words, in brackets."""
REFUSALS = ("plan/capture_points.py", "plan/link_local.py", "plan/parties.py")
"""What a command refuses is said in English alone."""
ROOMS = ("correlate", "explain", "render", "plan")
OTHER_TEXTS = ("render/topology_text.py", "render/counts_text.py", "explain/annotations.py")
"""What is not a part of a report: `ls`, the counts of `capture`, and the comments in a capture."""


def runs(text: str) -> list[str]:
    """Return what reads as English; commands, rules and routes are no language."""
    lines = (re.sub(r"^\s*(修复：|rule).*?(?=   #|$)", "", line) for line in text.splitlines())
    return [found for line in lines for found in RUN.findall(COMMANDS.sub("", line))]


@OTHERS
@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_worlds(language: str, world: Path) -> None:
    report = review(load(world))
    assert runs(render_text(report, width=200, lang=language, verbose=True)) == []
    assert runs(render_verdict(report, width=200, lang=language)) == []
    assert render_text(report, width=100) == (world / "report.txt").read_text()


@OTHERS
@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_lines_fit(language: str, world: Path) -> None:
    lines = render_text(review(load(world)), width=80, lang=language).splitlines()
    # A command is printed whole, as everywhere.
    wide = [line for line in lines if columns_of(line) > 80 and not line.startswith("  修复：")]
    assert wide == []


@OTHERS
def test_what_ended_a_run_early(language: str) -> None:
    report: Report = review(load(TESTS / "worlds" / "switched"))
    early = replace(report, interrupted=True, departed=("web",))
    assert runs(render_text(early, width=200, lang=language)) == []


@OTHERS
@pytest.mark.parametrize("case", CASES)
def test_lookups(language: str, case: str) -> None:
    for render in (render_text, render_verdict):
        assert runs(INVENTED.sub("", render(CASES[case](), width=200, lang=language))) == []


@OTHERS
@pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)
def test_captures(language: str, world: Path) -> None:
    with (world / "frames.pcapng").open("rb") as stream:
        report = review_capture(stream)
    # ICMP errors stay in ping's words, an interface's description in its own.
    assert runs(render_capture(report, width=200, lang=language, verbose=True)) == []
    wide = [line for line in render_capture(report, width=80, lang=language).splitlines() if columns_of(line) > 80]
    assert wide == []


def sentences() -> Iterator[tuple[str, int, str]]:
    """Yield what is written in the sources that reads as a sentence and is not said."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            if place not in {*OTHER_TEXTS, *REFUSALS}:
                yield from ((place, line, text) for line, text in unsaid(ast.parse(path.read_text(encoding="utf-8"))))


def unsaid(node: ast.AST) -> Iterator[tuple[int, str]]:
    match node:
        case ast.Call(func=ast.Name(id="say" | "join")):
            for each in (*node.args[1:], *node.keywords):
                yield from unsaid(each)
        case ast.Raise() | ast.Expr(value=ast.Constant()):
            return
        case ast.JoinedStr() | ast.Constant(value=str()):
            values = node.values if isinstance(node, ast.JoinedStr) else [node]
            text = "".join(each.value if isinstance(each, ast.Constant) else "x" for each in values)
            command = COMMANDS.match(text) or WRITTEN.match(text)
            if RUN.search(text) and not command and text not in TOKENS:
                yield node.lineno, text
        case _:
            for each in ast.iter_child_nodes(node):
                yield from unsaid(each)


def test_every_sentence_is_said() -> None:
    assert list(sentences()) == []


def test_the_page_shows_what_is_said() -> None:
    page = (ROOT.parent / "docs" / "languages.md").read_text(encoding="utf-8")
    shown = render_text(review(load(TESTS / "worlds" / "isolated")), width=80, lang="zh")
    assert f"--lang zh\n{shown}```" in page
