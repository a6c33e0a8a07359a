"""`recording.json`: the recording without its frames, under a schema with a number, from this version and from others.

1. A key that a newer version adds only adds: readers that do not know it leave it out, and say so.
2. A key that an older version had not takes its field's default: what that version would have done or known.
3. What changes a meaning, a unit or the set of words of a key raises SCHEMA_VERSION, and a step in UPGRADES turns a
   document of the number before into one of the new number. A number above ours is refused.
4. Observation n is frame n of `frames.pcapng`, those of the lookup first.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, NoReturn

from msgspec import Struct

from inspector import archive_frames
from inspector.archive_codec import decode, encode
from inspector.errors import MalformedInputError
from inspector.model.question import LIMITS, TIME_LIMITS_S
from inspector.model.recording import Recording
from inspector.model.text import safe
from inspector.wire.dns_name import encode_name

FRAMES = "frames.pcapng"
DOCUMENT = "recording.json"
SCHEMA = "dnetsniff.recording"
SCHEMA_VERSION = 1
WHAT_IT_IS = f"a recording is a folder with {FRAMES} and {DOCUMENT} in it"

MOST = 1_000
"""Probes of a run, steps of a way, capture points, queries of a lookup."""

Document = dict[str, Any]
UPGRADES: Mapping[int, Callable[[Document], Document]] = MappingProxyType({})
"""By the number of a schema: the step from it to the next one. Schema 1 is the first."""


class Loaded(Struct, frozen=True):
    """A recording from a folder, and what there is to know about the folder."""

    recording: Recording
    version: str
    """Of the dnetsniff that wrote it; empty where it does not say."""
    left_out: tuple[str, ...] = ()
    """Keys that this version does not know."""


def write(recording: Recording, version: str) -> bytes:
    """Return the document of a recording."""
    written = encode(Recording, archive_frames.without_frames(recording))
    if not isinstance(written, dict):
        raise TypeError
    for each in _observations_in(written):
        del each["frame"]
    document = {"schema": f"{SCHEMA}/{SCHEMA_VERSION}", "version": version, **written}
    return json.dumps(document, indent=1, allow_nan=False).encode() + b"\n"


def read(text: bytes) -> Loaded:
    """Return the recording without frames. Raises MalformedInputError, whose message says what the document is not."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedInputError("is not JSON") from error
    fields = _upgraded(document)
    version = safe(str(fields.pop("version", "")), limit=40)
    for each in _observations_in(fields):
        each["frame"] = ""
    left_out: set[str] = set()
    try:
        recording = decode(Recording, fields, left_out)
        _check(recording)
    except MalformedInputError as error:
        by = f"it says that dnetsniff {version} wrote it; use that version" if version else None
        raise MalformedInputError(f"does not hold together: {error.message}", by) from error
    return Loaded(recording, version, tuple(sorted(left_out)))


def _upgraded(document: object) -> Document:
    """Return the document in the form of this schema, without its name."""
    name, _, number = str(document.get("schema")).partition("/") if isinstance(document, dict) else ("", "", "")
    if not isinstance(document, dict) or name != SCHEMA or not (number.isascii() and number.isdigit()):
        raise MalformedInputError("is not a recording of dnetsniff", WHAT_IT_IS)
    if len(number) > len(str(SCHEMA_VERSION)) or not min(UPGRADES, default=1) <= int(number) <= SCHEMA_VERSION:
        raise MalformedInputError(
            f"has the schema {SCHEMA}/{safe(number, limit=20)}; this dnetsniff reads {SCHEMA}/{SCHEMA_VERSION}",
            "use the version of dnetsniff that wrote it, or a newer one",
        )
    for each in range(int(number), SCHEMA_VERSION):
        document = UPGRADES[each](document)
    return {key: value for key, value in document.items() if key != "schema"}


def _check(recording: Recording) -> None:
    """Refuse what no run asks or does."""
    question = recording.plan.question
    for name, (least, most) in {**LIMITS, **TIME_LIMITS_S}.items():
        value = getattr(question, name)
        if value is not None and not least <= value <= most:
            raise MalformedInputError(f"plan.question.{name} should be from {least} to {most}, not {value}")
    for name, found in _counted(recording):
        if found > MOST:
            raise MalformedInputError(f"{name} has {found} members, more than {MOST}")
    if recording.plan.family not in {4, 6}:
        raise MalformedInputError(f"plan.family should be 4 or 6, not {recording.plan.family}")
    for number, outcome in enumerate(recording.lookup.queries if recording.lookup else ()):
        try:
            ip_address(outcome.query.server.partition("%")[0])
            encode_name(outcome.query.name)
        except ValueError as error:
            raise MalformedInputError(f"lookup.queries[{number}] cannot be asked: {error}") from error


def _counted(recording: Recording) -> Iterator[tuple[str, int]]:
    """Yield what takes more than its length in time, and how many there are."""
    plan, lookup = recording.plan, recording.lookup
    yield from (("probes", len(recording.probes)), ("plan.request", len(plan.request)), ("plan.reply", len(plan.reply)))
    yield from (("plan.beyond", len(plan.beyond)), ("plan.points", len(plan.points)))
    yield "lookup.queries", len(lookup.queries) if lookup else 0


def _observations_in(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the observations of a document, the lookup's too, as far as it has the form of one."""
    lookup = document.get("lookup")
    for part in (document, lookup if isinstance(lookup, dict) else {}):
        observations = part.get("observations")
        yield from (each for each in (observations if isinstance(observations, list) else ()) if isinstance(each, dict))


def _refuse_constant(word: str) -> NoReturn:
    raise ValueError(word)
