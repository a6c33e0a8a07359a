"""Every finding has its page, made from its docstring, and is called as its module is."""

import re
from importlib import import_module
from inspect import getsource

import finding_pages
import pytest

from inspector.explain.findings import DETECTORS

MODULES = sorted(each.__module__ for each in DETECTORS)


def test_the_pages_are_what_the_docstrings_say() -> None:
    written = {each.name: each.read_text() for each in finding_pages.FOLDER.glob("*.md")}
    assert written == finding_pages.pages(), "run `make docs`"


@pytest.mark.parametrize("module", MODULES)
def test_each_says_what_why_and_the_remedy(module: str) -> None:
    title, parts = finding_pages.told(module)
    assert title.endswith(".")
    assert {"What", "Why", "Remedy"} <= set(parts)
    assert all(text.endswith(".") for text in parts.values())


@pytest.mark.parametrize("module", MODULES)
def test_its_identifier_is_its_modules_name(module: str) -> None:
    assert re.findall(r'id="([^"]+)"', getsource(import_module(module))) == [finding_pages.identifier(module)]
