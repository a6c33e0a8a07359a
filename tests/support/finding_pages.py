"""Write docs/findings from the docstrings of the problem library; the test compares."""

import re
from importlib import import_module
from pathlib import Path

import screens

from inspector.explain.findings import DETECTORS

FOLDER = Path(__file__).parents[2] / "docs" / "findings"
PARTS = ("What", "Why", "On the wire", "Remedy")


def pages() -> dict[str, str]:
    """Return every page by the name of its file, the index among them."""
    modules = [each.__module__ for each in DETECTORS]
    written = {f"{identifier(each)}.md": page(each) for each in modules}
    rows = [f"| [{identifier(each)}]({identifier(each)}.md) | {told(each)[0]} |" for each in sorted(modules)]
    head = "# Findings\n\nMade from the problem library by `make docs`. An identifier is `findings[].id` in the JSON.\n"
    return {"README.md": "\n".join([head, "| finding | what it says |", "|---|---|", *rows, ""]), **written}


def page(module: str) -> str:
    """Return one page."""
    title, parts = told(module)
    sections = [f"## {name}\n\n{text}" for name, text in parts.items()]
    if (kept := screens.path(identifier(module))).exists():
        sections.append(f"## What it looks like\n\n```\n{kept.read_text().strip()}\n```")
    return "\n\n".join([f"# `{identifier(module)}`", title, *sections]) + "\n"


def told(module: str) -> tuple[str, dict[str, str]]:
    """Return the first sentence of a module's docstring, and its parts."""
    text = import_module(module).__doc__ or ""
    title, _, rest = text.strip().partition("\n\n")
    pieces = re.split(rf"^({'|'.join(PARTS)}): ", rest, flags=re.MULTILINE)[1:]
    parts = {name: _sentence(words) for name, words in zip(pieces[::2], pieces[1::2], strict=True)}
    return title, parts


def identifier(module: str) -> str:
    """Return the finding's identifier: its module's name with dashes."""
    return module.rpartition(".")[2].replace("_", "-")


def _sentence(words: str) -> str:
    flat = " ".join(words.split())
    return flat[0].upper() + flat[1:]


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in FOLDER.glob("*.md"):
        each.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
