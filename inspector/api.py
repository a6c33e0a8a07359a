"""What a Python program may use, as `inspector.trace` and so on: the command's own stages, without the command line.

1. A Report is the model's, and can also show itself.
2. What the command refuses is refused here, with the same InspectorError; nothing is printed.
3. Nothing outside the standard library is loaded before it is needed.
"""

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from msgspec.structs import fields

from inspector.errors import InspectorError, UsageError
from inspector.model import report as model
from inspector.model.engine_choice import EngineChoice
from inspector.model.question import DEFAULT_SIZE, LIMITS, TIME_LIMITS_S, Question
from inspector.model.recording import Recording
from inspector.model.topology import Topology
from inspector.plan.target import read_target, refuse_odd, words_of

__all__ = [
    "InspectorError",
    "Recording",
    "Report",
    "Topology",
    "headers_only",
    "load",
    "redact",
    "resolve",
    "review",
    "save",
    "survey",
    "trace",
]

Folder = str | PathLike[str]


class Report(model.Report, frozen=True):
    """The whole answer to a question."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--format json` writes, as plain values: dictionaries, lists, text and numbers."""
        from inspector.render.report_json import to_dict

        return to_dict(self)

    def to_text(self, *, width: int = 100, coloured: bool = False, verbose: bool = False, lang: str = "en") -> str:
        """Return what the command shows, in lines of `width` columns; `verbose` is its `-v`, `lang` its `--lang`.

        Raises UsageError for a language that is not known.
        """
        from inspector.model.sentence import LANGUAGES
        from inspector.render.report_text import render_text

        if lang not in LANGUAGES:
            raise UsageError(f"{lang!r} is no language of a report", f"it can be {' or '.join(LANGUAGES)}")
        return render_text(self, width=width, coloured=coloured, verbose=verbose, lang=lang)


def trace(
    source: str,
    destination: str,
    *,
    count: int = 3,
    timeout_s: float = 1.0,
    interval_s: float | None = None,
    size: int | None = None,
    dont_fragment: bool = False,
    ttl: int | None = None,
    family: int | None = None,
    source_address: str | None = None,
    passive: bool = False,
    rule_trace: bool = True,
    look_up: bool = True,
    write: Folder | None = None,
    host: str | None = None,
    context: str | None = None,
) -> Report:
    """Send real probes, follow them through every hop, and say what became of them. Needs root, as the command does.

    The options are those of `dnetsniff trace` (`look_up=False` is its `--no-lookup`, `rule_trace=False` its
    `--no-rule-trace`); `write` keeps the recording in a new folder. `destination` may end in `:PORT` or `:PORT/udp`;
    `size` is 56 where it is not given. `host` or `context` names the engine, neither means what `docker` would take.
    Raises InspectorError.
    """
    target = read_target(destination)
    question = Question(
        source=source,
        destination=target.destination,
        protocol=target.protocol,
        port=target.port,
        count=count,
        timeout_s=timeout_s,
        interval_s=interval_s,
        size=DEFAULT_SIZE if size is None else size,
        dont_fragment=dont_fragment,
        ttl=ttl,
        family=family,
        source_address=source_address,
        passive=passive,
        rule_trace=rule_trace,
        look_up=look_up,
        lookup_timeout_s=timeout_s,
    )
    refuse_odd(question, size_given=size is not None)
    return _ask(question, write, _choice(host, context))


def resolve(
    source: str,
    name: str,
    *,
    types: Iterable[str] = ("A", "AAAA"),
    every: bool = False,
    timeout_s: float | None = None,
    passive: bool = False,
    write: Folder | None = None,
    host: str | None = None,
    context: str | None = None,
) -> Report:
    """Look a name up as a program in `source` would, and say what came of it in `Report.names`. Needs root.

    The options are those of `dnetsniff resolve` (`every` is its `--all`), and otherwise those of `trace`.
    Raises InspectorError.
    """
    question = Question(
        source=source,
        destination=name,
        names_only=True,
        types=tuple(types),
        every=every,
        lookup_timeout_s=timeout_s,
        passive=passive,
    )
    return _ask(question, write, _choice(host, context))


def survey(*, host: str | None = None, context: str | None = None) -> Topology:
    """Return the networks, bridges, links and containers of an engine, as `dnetsniff ls` shows them.

    Raises InspectorError.
    """
    from contextlib import closing

    from inspector.discover import survey as discover
    from inspector.discover.engine import connect

    with discover.Stacks() as stacks, closing(connect(_choice(host, context))) as engine:
        return discover.survey(engine, stacks)


def load(folder: Folder) -> Recording:
    """Read a recording back: needs no root and no engine. Raises InspectorError."""
    from inspector import archive

    return archive.load(Path(folder))


def review(recording: Recording) -> Report:
    """Think about a recording; the same one gives the same report anywhere."""
    from inspector import pipeline

    return _public(pipeline.review(recording))


def redact(recording: Recording, *, salt: bytes | None = None) -> Recording:
    """Return a recording that tells the same story with other addresses, names, MACs and ids, the same one for each.

    The same `salt` (16 to 64 bytes) gives the same ones; without it they are drawn anew.
    """
    import secrets

    from inspector.withhold.redaction import redact as redacted

    return redacted(recording, secrets.token_bytes(32) if salt is None else salt)


def headers_only(recording: Recording) -> Recording:
    """Return a recording whose probes' frames are cut behind their headers and the probe's mark; the report stays."""
    from inspector.withhold.headers import headers_only as cut

    return cut(recording)


def save(recording: Recording, folder: Folder) -> None:
    """Write a recording into a new folder, as `-w` does; this machine is not named in it. Raises InspectorError."""
    from inspector.keep import keep

    keep(recording, Path(folder), here=False)


def _ask(question: Question, write: Folder | None, choice: EngineChoice) -> Report:
    _refuse_odd(question)
    from inspector import pipeline
    from inspector.archive import prepare
    from inspector.discover.engine import connect
    from inspector.host import LiveHost
    from inspector.keep import keep
    from inspector.worker import Worker

    folder = None if write is None else Path(write)
    if folder is not None:
        prepare(folder)
    engine, ends = connect(choice), words_of(question)
    with Worker() as worker, LiveHost(engine, worker, ends, pipeline.THINKING) as live:
        recording, report = pipeline.trace(question, live)
    if folder is not None:
        keep(recording, folder)
    return _public(report)


def _public(report: model.Report) -> Report:
    return Report(**{each.name: getattr(report, each.name) for each in fields(report)})


def _choice(host: str | None, context: str | None) -> EngineChoice:
    if host and context:
        raise UsageError("host and context both name an engine", "give one of them")
    return EngineChoice(host=host, context=context)


def _refuse_odd(question: Question) -> None:
    """Raise UsageError for what the command line would not take."""
    for name, (least, most) in {**LIMITS, **TIME_LIMITS_S}.items():
        value = getattr(question, name)
        if value is not None and not least <= value <= most:
            raise UsageError(f"{name} is {value}", f"it has to be from {least} to {most}")
    if question.family not in {None, 4, 6}:
        raise UsageError(f"family is {question.family}", "it has to be 4 or 6")
