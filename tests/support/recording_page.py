"""Write the keys of recording.json into docs/recording-format.md, from the types and what stands under their fields."""

import ast
import importlib
import inspect
import types
from enum import StrEnum
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Union, get_args, get_origin

from msgspec import NODEFAULT
from msgspec.structs import fields

from inspector.archive_codec import _fields, _is_struct, _kebab, _plain
from inspector.model.recording import Recording

PAGE = Path(__file__).parents[2] / "docs" / "recording-format.md"
MARK = "<!-- the rest is made by `make docs` -->\n"


def page() -> str:
    """Return the whole page: what a person wrote, and the keys."""
    said, mark, _ = PAGE.read_text().partition(MARK)
    return said + mark + "\n" + "\n".join(_tables())


def _tables() -> list[str]:
    parts = []
    for kind in _kinds(Recording, []):
        first = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
        parts.append(f"### {kind.__name__}\n\n{first}\n\n| key | holds | if missing | meaning |\n|---|---|---|---|")
        meanings = _meanings(kind)
        for each in fields(kind):
            hint = _fields(kind)[each.name][0]
            written = "`frames.pcapng`" if (kind.__name__, each.name) == ("Observation", "frame") else _holds(hint)
            parts.append(f"| `{each.name}` | {written} | {_default(each)} | {meanings.get(each.name, '')} |")
        parts.append("")
    return parts


def _kinds(kind: Any, found: list[Any]) -> list[Any]:
    kind = _plain(kind)
    for part in get_args(kind):
        _kinds(part, found)
    if _is_struct(kind) and kind not in found:
        found.append(kind)
        for hint, _ in _fields(kind).values():
            _kinds(hint, found)
    return found


def _holds(hint: Any) -> str:
    hint = _plain(hint)
    if hint is type(None):
        return "null"
    if get_origin(hint) in {Union, types.UnionType}:
        many = [each for each in get_args(hint) if _is_struct(each)]
        tagged = len(many) > 1
        tags = {each: f"`{_kebab(each)}`: " for each in many if tagged}
        return " or ".join(dict.fromkeys(tags.get(each, "") + _holds(each) for each in get_args(hint)))
    if get_origin(hint) is tuple:
        return f"array of {_holds(get_args(hint)[0])}"
    if _is_struct(hint):
        return f"[{hint.__name__}](#{hint.__name__.lower()})"
    if issubclass(hint, StrEnum):
        return ", ".join(f"`{each}`" for each in hint)
    return {str: "text", int: "number", float: "number", bool: "true, false", bytes: "hex"}.get(hint, "address/length")


def _default(each: Any) -> str:
    if each.required:
        return "refused"
    if each.default is NODEFAULT:
        return "its defaults"
    value = each.default
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return "[]" if not value else ", ".join(_short(one) for one in value)
    return _short(value)


def _short(value: Any) -> str:
    if _is_struct(type(value)):
        return f"`{getattr(value, 'name', None) or 'its defaults'}`"
    return f"`{value}`" if value != "" else '`""`'


@cache
def _meanings(kind: Any) -> dict[str, str]:
    """Find the text under each field in the module's source."""
    tree = ast.parse(inspect.getsource(importlib.import_module(kind.__module__)))
    body = next(each.body for each in tree.body if isinstance(each, ast.ClassDef) and each.name == kind.__name__)
    found: dict[str, str] = {}
    for before, after in pairwise(body):
        if (
            isinstance(before, ast.AnnAssign)
            and isinstance(before.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            found[before.target.id] = " ".join(str(after.value.value).split()).replace("|", "\\|")
    return found


if __name__ == "__main__":
    PAGE.write_text(page())
