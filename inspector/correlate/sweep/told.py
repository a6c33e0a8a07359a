"""Say what one pass over a capture file found. Pure."""

from collections.abc import Iterator

from inspector.correlate.sweep.conversations import conversations
from inspector.correlate.sweep.keys import TCP, turned
from inspector.correlate.sweep.one_pass import OnePass
from inspector.model.capture import CaptureReport, Counted, Made, Overlooked
from inspector.model.sentence import say
from inspector.wire.captured import FramesFile


def report_of(file: FramesFile) -> CaptureReport:
    """Read a file to its end, and tell what is in it. Raises MalformedInputError."""
    found = OnePass()
    found.run(file)
    for index, described in enumerate(file.interfaces):
        found.points.of_file(index, described)
    names, refusals = found.points.names(), found.errors.refusals()

    origins = found.ways.rewritten.entries

    def repeated(number: int, ends: bytes) -> int:
        flows = found.flows.points[number]
        both = (flows.get((TCP, ends)), flows.get((TCP, turned(ends))))
        return sum(flow.repeated for flow in both if flow)

    told, rest, flows = conversations(found.flows, names)
    folded = Counted(found.flows.folded.frames + rest.frames, found.flows.folded.bytes + rest.bytes)
    return CaptureReport(
        made=Made(file.form, file.application, file.system),
        interfaces=found.points.interfaces(file.counters),
        names=file.names,
        conversations=told,
        ways=found.ways.ways(names),
        echoes=found.pings.echoes(names, origins),
        exchanges=found.questions.exchanges(names, refusals),
        connections=found.handshakes.connections(names, refusals, origins, repeated),
        complaints=found.errors.complaints(names),
        neighbours=found.neighbours.neighbours(names),
        overlooked=Overlooked(found.flows.folded_flows + flows, folded, tuple(_overlooked(found))),
        timeless=file.timeless,
        backwards=found.backwards,
        warnings=tuple(file.warnings),
    )


def _overlooked(found: OnePass) -> Iterator[str]:
    known = (
        (found.ways.too_many, say("{count:,} packets took ways beyond the limit", count=found.ways.too_many)),
        (found.pings.too_many, say("{count:,} pings were forgotten: there were too many", count=found.pings.too_many)),
        (
            found.questions.too_many,
            say("{count:,} DNS questions were forgotten: there were too many", count=found.questions.too_many),
        ),
        (
            found.handshakes.too_many,
            say("{count:,} TCP connections were forgotten: there were too many", count=found.handshakes.too_many),
        ),
        (
            found.errors.too_many,
            say("{count:,} kinds of ICMP errors were forgotten: there were too many", count=found.errors.too_many),
        ),
        (
            found.neighbours.too_many,
            say("{count:,} questions for MACs were forgotten: there were too many", count=found.neighbours.too_many),
        ),
        (
            found.questions.unasked,
            say(
                "{count:,} DNS answers have no question in the file (counted at each interface)",
                count=found.questions.unasked,
            ),
        ),
        (
            found.questions.unreadable,
            say(
                "{count:,} DNS messages could not be read (counted at each interface)", count=found.questions.unreadable
            ),
        ),
    )
    yield from (words for count, words in known if count)
