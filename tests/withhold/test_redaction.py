"""A redacted recording tells the same story, and nothing of whom it is about."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import fields

from inspector.archive import load
from inspector.keep import keep
from inspector.model.recording import Recording
from inspector.pipeline import review
from inspector.render.report_json import to_dict
from inspector.withhold.redaction import KEPT, redact

WORLDS = sorted(each for each in (Path(__file__).parents[1] / "worlds").iterdir() if each.is_dir())
SALT = bytes(range(32))
EVERYBODY_S = re.compile(r"0\.0\.0\.0|127\.|22[4-9]\.|23\d\.|255\.|::1?$|ff0")

SAMPLES = Path(__file__).parents[2] / "captures" / "samples"
PUBLISHED = sorted(each.parent for each in (SAMPLES / "published-ports").rglob("recording.json"))

by_world = pytest.mark.parametrize("world", WORLDS, ids=lambda each: each.name)


def shape(value: Any) -> Any:
    """Return a report with every text that may hold a name reduced to its being there."""
    if isinstance(value, dict):
        return {key: each if key in TOLD else shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value if isinstance(value, int | float | None) else "text"


TOLD = {
    "schema",
    "id",
    "severity",
    "confidence",
    "outcome",
    "direction",
    "heading",
    "seen",
    "mechanism",
    "rcode",
    "ttl",
    "owner",
}


@pytest.mark.parametrize("world", [*WORLDS, *PUBLISHED], ids=lambda each: "-".join(each.parts[-3:]))
def test_the_report_keeps_its_shape(world: Path, tmp_path: Path) -> None:
    before = load(world)
    keep(redact(before, SALT), tmp_path / "redacted")
    after = load(tmp_path / "redacted")
    assert shape(to_dict(review(after))) == shape(to_dict(review(before)))


@by_world
def test_nothing_of_the_original_is_in_the_files(world: Path, tmp_path: Path) -> None:
    before = load(world)
    keep(redact(before, SALT), tmp_path / "redacted")
    for name in ("recording.json", "frames.pcapng"):
        data = (tmp_path / "redacted" / name).read_bytes()
        assert [each for each in sorted(telling(before)) if each.lower() in data.lower()] == [], name


@by_world
def test_the_same_gives_the_same_and_another_salt_another(world: Path) -> None:
    before = load(world)
    assert redact(before, SALT) == redact(before, SALT)
    assert redact(before, SALT) != redact(before, SALT[::-1])


def telling(recording: Recording) -> Iterator[bytes]:
    """Yield what tells whose it is, as text and as it stands in frames."""
    topology = recording.topology
    for container in topology.containers:
        yield from (container.name.encode(), container.id.encode(), container.id[:12].encode())
    for network in topology.networks:
        yield from (network.id.encode(), network.id[:12].encode())
        if network.name not in {"bridge", "host", "none"}:
            yield b"\0" + network.name.encode() + b"\0"
            yield b'"' + network.name.encode() + b'"'
            yield bytes((len(network.name),)) + network.name.encode()
    for link in (link for stack in topology.sandboxes for link in stack.links):
        if link.name.startswith(("veth", "br-", "dnup")):
            yield link.name.encode()
        if link.mac and link.mac != "00:00:00:00:00:00":
            yield from (link.mac.encode(), bytes.fromhex(link.mac.replace(":", "")))
        for address in link.addresses:
            yield from forms(str(address.ip))
    for text in strings(recording):
        for found in re.findall(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w./])", text):
            yield from forms(found)


def forms(address: str) -> Iterator[bytes]:
    """Yield an address as text with its ends, and packed."""
    if not EVERYBODY_S.match(address):
        yield from (f"{left}{address}{right}".encode() for left in ' "(' for right in ' "/),;:')
        yield ip_address(address).packed


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from strings(each)
    elif isinstance(value, Struct):
        for each in fields(value):
            yield from strings(getattr(value, each.name))


def test_each_field_that_is_kept_is_there() -> None:
    named = {where for where, _ in _fields_of(Recording, set())}
    assert named >= KEPT


def _fields_of(kind: Any, seen: set[Any]) -> Iterator[tuple[str, Any]]:
    from typing import get_args

    from inspector.archive_codec import _fields, _plain

    kind = _plain(kind)
    for part in get_args(kind):
        yield from _fields_of(part, seen)
    if isinstance(kind, type) and issubclass(kind, Struct) and kind not in seen:
        seen.add(kind)
        for name, (hint, _) in _fields(kind).items():
            yield f"{kind.__name__}.{name}", hint  # type: ignore[union-attr]
            yield from _fields_of(hint, seen)
