"""Sum up what was asked in a capture file, and what came of it. Pure: counts, and no causes."""

from collections import Counter
from collections.abc import Iterator

from msgspec.structs import replace

from inspector.explain.untold import untold
from inspector.model.capture import CaptureReport, Opening

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
        yield f"{lost:,} of {sum(each.sent for each in pings):,} echo requests unanswered"
    yield from _questions(report)
    silent = sum(not each.macs for each in report.neighbours)
    if silent:
        yield f"{silent:,} of {len(report.neighbours):,} ARP or ND questions unanswered"
    rivals = sum(len(each.macs) > 1 for each in report.neighbours)
    if rivals:
        yield f"{rivals:,} {_plural(rivals, 'address')} claimed by more than one MAC"
    if report.complaints:
        count = sum(each.count for each in report.complaints)
        yield f"{count:,} ICMP {_plural(count, 'error')}"
    repeated = sum(each.repeated for each in report.conversations)
    if repeated:
        yield f"{repeated:,} TCP {_plural(repeated, 'segment')} sent again"


def _connections(report: CaptureReport) -> Iterator[str]:
    own = [each for each in report.connections if each.origin is None]
    counts = Counter(each.opening for each in own)
    asked = len(own) - counts[Opening.UNSEEN]
    for opening in (Opening.REFUSED, Opening.UNANSWERED):
        if counts[opening]:
            yield f"{counts[opening]:,} of {asked:,} TCP connections {opening}"
    reset = sum(each.reset_by is not None and each.opening in {Opening.OPENED, Opening.UNSEEN} for each in own)
    if reset:
        yield f"{reset:,} TCP {_plural(reset, 'connection')} reset"


def _questions(report: CaptureReport) -> Iterator[str]:
    asked = [each for each in report.exchanges if not each.onward]
    silent = sum(each.rcode is None for each in asked)
    if silent:
        yield f"{silent:,} of {len(asked):,} DNS questions unanswered"
    for rcode, count in Counter(each.rcode for each in asked).items():
        if rcode not in {None, FINE}:
            yield f"{count:,} DNS {_plural(count, 'answer')} {rcode}"


def _well(report: CaptureReport) -> Iterator[str]:
    opened = sum(each.opening is Opening.OPENED for each in report.connections if each.origin is None)
    echoed = sum(each.answered for each in report.echoes if each.origin is None)
    named = sum(each.rcode is not None and not each.onward for each in report.exchanges)
    found = sum(bool(each.macs) for each in report.neighbours)
    for count, words in (
        (opened, f"TCP {_plural(opened, 'connection')} opened"),
        (echoed, f"echo {_plural(echoed, 'request')} answered"),
        (named, f"DNS {_plural(named, 'question')} answered"),
        (found, f"ARP or ND {_plural(found, 'question')} answered"),
    ):
        if count:
            yield f"{count:,} {words}"


def _plural(count: int, word: str) -> str:
    return word if count == 1 else f"{word}es" if word.endswith("s") else f"{word}s"
