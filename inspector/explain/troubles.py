"""Sum up what was asked in a capture file, and what came of it. Pure: counts, and no causes."""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from inspector.explain.untold import untold
from inspector.model.capture import CaptureReport, Opening
from inspector.model.sentence import say

FINE = "NOERROR"


def explain_capture(report: CaptureReport) -> CaptureReport:
    """Add to what was found what it comes to, and what it cannot say."""
    troubles = tuple(_troubles(report))
    return replace(report, troubles=troubles, well=tuple(_well(report)), untold=tuple(untold(report)))


def _troubles(report: CaptureReport) -> Iterator[str]:
    yield from _connections(report)
    pings = [each for each in report.echoes if each.origin is None]
    lost = sum(each.sent - each.answered for each in pings)
    if lost:
        sent = sum(each.sent for each in pings)
        yield say("{count:,} of {all:,} echo requests unanswered", count=lost, all=sent)
    yield from _questions(report)
    silent = sum(not each.macs for each in report.neighbours)
    if silent:
        asked = len(report.neighbours)
        yield say("{count:,} of {all:,} ARP or ND questions unanswered", count=silent, all=asked)
    rivals = sum(len(each.macs) > 1 for each in report.neighbours)
    if rivals:
        one = say("{count:,} address claimed by more than one MAC", count=rivals)
        yield one if rivals == 1 else say("{count:,} addresses claimed by more than one MAC", count=rivals)
    if report.complaints:
        count = sum(each.count for each in report.complaints)
        yield say("{count:,} ICMP error", count=count) if count == 1 else say("{count:,} ICMP errors", count=count)
    repeated = sum(each.repeated for each in report.conversations)
    if repeated:
        one = say("{count:,} TCP segment sent again", count=repeated)
        yield one if repeated == 1 else say("{count:,} TCP segments sent again", count=repeated)


def _connections(report: CaptureReport) -> Iterator[str]:
    own = [each for each in report.connections if each.origin is None]
    counts = Counter(each.opening for each in own)
    asked = len(own) - counts[Opening.UNSEEN]
    if refused := counts[Opening.REFUSED]:
        yield say("{count:,} of {all:,} TCP connections refused", count=refused, all=asked)
    if silent := counts[Opening.UNANSWERED]:
        yield say("{count:,} of {all:,} TCP connections unanswered", count=silent, all=asked)
    reset = sum(each.reset_by is not None and each.opening in {Opening.OPENED, Opening.UNSEEN} for each in own)
    if reset:
        one = say("{count:,} TCP connection reset", count=reset)
        yield one if reset == 1 else say("{count:,} TCP connections reset", count=reset)


def _questions(report: CaptureReport) -> Iterator[str]:
    asked = [each for each in report.exchanges if not each.onward]
    silent = sum(each.rcode is None for each in asked)
    if silent:
        yield say("{count:,} of {all:,} DNS questions unanswered", count=silent, all=len(asked))
    for rcode, count in Counter(each.rcode for each in asked).items():
        if rcode not in {None, FINE}:
            one = say("{count:,} DNS answer {rcode}", count=count, rcode=rcode)
            yield one if count == 1 else say("{count:,} DNS answers {rcode}", count=count, rcode=rcode)


def _well(report: CaptureReport) -> Iterator[str]:
    opened = sum(each.opening is Opening.OPENED for each in report.connections if each.origin is None)
    echoed = sum(each.answered for each in report.echoes if each.origin is None)
    named = sum(each.rcode is not None and not each.onward for each in report.exchanges)
    found = sum(bool(each.macs) for each in report.neighbours)
    for count, one, several in (
        (opened, say("1 TCP connection opened"), say("{count:,} TCP connections opened", count=opened)),
        (echoed, say("1 echo request answered"), say("{count:,} echo requests answered", count=echoed)),
        (named, say("1 DNS question answered"), say("{count:,} DNS questions answered", count=named)),
        (found, say("1 ARP or ND question answered"), say("{count:,} ARP or ND questions answered", count=found)),
    ):
        if count:
            yield one if count == 1 else several
