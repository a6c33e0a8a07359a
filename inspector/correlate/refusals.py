"""Find the ICMP error that came back instead of an answer. Pure.

An error quotes the packet it is about (RFC 792, RFC 4443, 3.1). Inside a namespace that translates, the quote is
translated back, too: its destination port need not be the one that was seen on the way there. So the source's port and
the server decide.
"""

from collections.abc import Iterable

from inspector.correlate.dns_frames import Told
from inspector.model.recording import Lookup
from inspector.model.sentence import say
from inspector.wire import headers

Flow = tuple[str, int]
"""The server that was asked, and the port that it was asked from."""


def refusals(lookup: Lookup) -> dict[Flow, str]:
    """Return the first error about each question, in words, by its server and source port."""
    found: dict[Flow, str] = {}
    for observation in sorted(lookup.observations, key=lambda each: (each.at_ns, each.point)):
        read = headers.read(observation.frame)
        quoted = read.icmp.quoted if read and read.icmp else None
        segment = (quoted.udp or quoted.tcp) if quoted else None
        if read and read.ip and read.icmp and quoted and segment:
            said = say(
                "{by} says {words}, seen at {point}",
                by=read.ip.source,
                words=read.icmp.words,
                point=lookup.plan.points[observation.point],
            )
            found.setdefault((quoted.ip.destination, segment.source_port), said)
    return found


def refusal_of(questions: Iterable[Told], known: dict[Flow, str]) -> str | None:
    """Return what was said to a question, whichever port it had where the error was sent."""
    return next((known[flow] for each in questions if (flow := (each.destination, each.source_port)) in known), None)
