"""Tell of SYNs that the source's kernel sent more than once: they are one packet here (RFC 9293, 3.8.1). Pure."""

from collections import Counter
from collections.abc import Iterator

from inspector.explain.case import Case
from inspector.model.question import Heading, Protocol
from inspector.model.report import Fact
from inspector.model.sentence import say
from inspector.wire import headers


def sent_again(case: Case) -> Iterator[Fact]:
    """Say how often each connection was asked for at the source's own interface, where it was more than once."""
    recording = case.recording
    if recording.plan.question.protocol is not Protocol.TCP:
        return
    probes = {port: sequence for sequence, port in enumerate(recording.source_ports, start=1)}
    times: Counter[tuple[int, str]] = Counter()
    for each in recording.observations:
        point = recording.point(each.point)
        if point.sandbox != recording.plan.source.sandbox or each.heading is not Heading.OUT:
            continue
        read = headers.read(each.frame)
        tcp = read.tcp if read else None
        if tcp and tcp.syn and not tcp.ack and tcp.source_port in probes:
            times[probes[tcp.source_port], str(point)] += 1
    # On the host one packet leaves by several interfaces, each once.
    for sequence in sorted({sequence for (sequence, _), count in times.items() if count > 1}):
        at, most = max(((place, count) for (each, place), count in times.items() if each == sequence), key=_count)
        yield Fact(
            say(
                "the kernel sent SYN {sequence} {most} times ({at}): it waited, and sent it again",
                sequence=sequence,
                most=most,
                at=at,
            ),
            (at,),
        )


def _count(told: tuple[str, int]) -> int:
    return told[1]
