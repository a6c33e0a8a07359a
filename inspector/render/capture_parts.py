"""The parts of a capture report, entry by entry: troubles stand before what went well. Pure."""

from collections.abc import Iterator
from itertools import chain

from inspector.model.capture import (
    CaptureReport,
    Connection,
    Conversation,
    DnsExchange,
    Hand,
    Opening,
    Sighting,
    Way,
)
from inspector.render.capture_words import Names, address, counted, end, plural, times
from inspector.render.text import columns, duration, fitted

MOST_PLACES = 6
HANDS = {
    Hand.SWITCHED: "switched",
    Hand.ROUTED: "routed",
    Hand.READDRESSED: "other MACs, same TTL",
    Hand.UNTOLD: "",
}


def conversation_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say who talked to whom."""
    for each in report.conversations:
        later = ", later fragments" if each.fragments else ""
        lasted = duration(each.span.duration_ns)
        yield [
            f"{each.protocol}  {end(each.client, report.names)} > {end(each.server, report.names)}{later}",
            f"{counted(each.there, each.back)}, for {lasted}{_segments(each)}; {_places(each)}",
        ]


def _segments(each: Conversation) -> str:
    again = f", {plural(each.repeated, 'segment')} sent again" if each.repeated else ""
    return again + (f", {each.late:,} out of order" if each.late else "")


def _places(each: Conversation) -> str:
    names = [seen.interface for seen in each.seen_at]
    alike = len({(seen.there, seen.back) for seen in each.seen_at}) == 1
    if alike:
        return f"at {_listed(names)}" + (" (the same count)" if len(names) > 1 else "")
    return "at " + _listed([f"{seen.interface} ({seen.there}+{seen.back})" for seen in each.seen_at])


def way_rows(report: CaptureReport, width: int) -> Iterator[list[str]]:
    """Say where packets were seen, in order: a ladder of lines that fit."""
    for way in report.ways:
        ends = f"{address(way.source, report.names)} > {address(way.destination, report.names)}"
        rows = [_place(each, way, report.names) for each in way.sightings]
        if way.ended_early:
            *cells, words = rows[-1]
            rows[-1] = (*cells, ", ".join(filter(None, (words, "last seen here, not later in this file"))))
        ladder = (fitted(line, width, row[-1]) for row, line in zip(rows, columns(rows), strict=True))
        yield [f"{way.protocol}  {ends}   {plural(way.packets, 'packet')}", *chain.from_iterable(ladder)]


def _place(each: Sighting, way: Way, names: Names) -> tuple[str, ...]:
    words = []
    if each.since is None:
        words.append(f"ttl {each.ttl}")
        since = ""
    else:
        since = times(each.since, way.packets) if each.since.max else "0"
        words.append("" if each.hand is None else HANDS[each.hand])
        if each.hand is not Hand.SWITCHED:
            words.append(f"ttl {each.ttl}")
    for which, new in (("source", each.source), ("destination", each.destination)):
        if new:
            words.append(f"{which} now {end(new, names)}")
    if each.source or each.destination:
        words.append("NAT, likely")
    return (each.interface, each.heading or "", since, ", ".join(filter(None, words)))


def echo_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say which pings were answered."""
    for each in sorted(report.echoes, key=lambda each: each.sent == each.answered):
        ends = f"{address(each.source, report.names)} > {address(each.destination, report.names)}"
        rtt = f" in {times(each.rtt, each.answered)}" if each.rtt else ""
        row = [f"{ends}   {each.answered:,} of {each.sent:,} answered{rtt}, at {each.interface}"]
        if each.origin:
            row[0] += f" (rewritten: from {each.origin.source} > {each.origin.destination})"
        if each.unanswered:
            more = each.sent - each.answered - len(each.unanswered)
            numbers = ", ".join(map(str, each.unanswered)) + (f" and {more:,} more" if more > 0 else "")
            row.append(f"no answer in this file to sequence {numbers}")
        yield row


def exchange_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say what was asked of DNS, and what was answered."""
    asked = [[each] for each in report.exchanges if not each.onward]
    by_question = {(group[0].name.lower(), group[0].type): group for group in asked}
    for each in report.exchanges:
        if each.onward:
            group = by_question.get((each.name.lower(), each.type))
            if group is not None:
                group.append(each)
    for group in sorted(asked, key=lambda group: group[0].rcode is not None):
        yield [_question(group[0], report.names), *(_onward(each, report.names) for each in group[1:])]


def _question(each: DnsExchange, names: Names) -> str:
    over = "" if each.transport == "udp" else f" over {each.transport}"
    return f"{each.name} {each.type}  {end(each.client, names)} > {end(each.server, names)}{over}: {_answer(each)}"


def _answer(each: DnsExchange) -> str:
    again = f", asked {each.asked} times" if each.asked > 1 else ""
    if each.rcode is None or each.elapsed_ns is None:
        return (each.refusal or "no answer in this file") + again
    records = ": " + ", ".join(each.answers) if each.answers else ", no data" if each.rcode == "NOERROR" else ""
    short = ", truncated" if each.truncated else ""
    by = f", from {each.answered_by}" if each.answered_by else ""
    rewritten = " (port 53 there is rewritten)" if each.server.address == "127.0.0.11" and each.answered_by else ""
    return f"{each.rcode} in {duration(each.elapsed_ns)}{records}{short}{by}{rewritten}{again}"


def _onward(each: DnsExchange, names: Names) -> str:
    return f"seen on as {end(each.client, names)} > {end(each.server, names)}: {_answer(each)}"


def connection_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say how connections began and broke."""
    order = list(Opening)
    fine = (Opening.OPENED, None)
    for each in sorted(
        report.connections, key=lambda each: ((each.opening, each.reset_by) == fine, -order.index(each.opening))
    ):
        row = [f"{end(each.client, report.names)} > {end(each.server, report.names)}: {_opening(each)}"]
        if each.origin:
            row.append(f"the same, rewritten: {each.origin.source} > {each.origin.destination}")
        yield row


def _opening(each: Connection) -> str:
    syns = f", {each.syns} SYNs" if each.syns > 1 else ""
    again = f", {plural(each.repeated, 'segment')} sent again" if each.repeated else ""
    reset = f", reset by {each.reset_by}" if each.reset_by else ""
    if each.opening is Opening.REFUSED:
        how = each.refusal or f"RST from {each.reset_by}"
        return f"refused: {how}{syns}, at {each.interface}"
    if each.opening is Opening.UNANSWERED:
        return f"no answer in this file to its SYN{syns}{reset}, at {each.interface}"
    if each.opening is Opening.UNSEEN:
        return f"begun before this file{reset}{again}, at {each.interface}"
    took = f" in {duration(each.handshake_ns)}" if each.handshake_ns is not None else ""
    return f"opened{took}{syns}{reset}{again}, at {each.interface}"


def complaint_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say who complained about what."""
    for each in report.complaints:
        count = f", {each.count:,} times" if each.count > 1 else ""
        ends = f"{end(each.source, report.names)} > {end(each.destination, report.names)}"
        yield [
            f"{address(each.by, report.names)} says {each.words} to {address(each.to, report.names)}{count}",
            f"about {each.protocol} {ends}, at {_listed(list(each.seen_at))}",
        ]


def neighbour_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say who asked for whose MAC."""
    for each in sorted(report.neighbours, key=lambda each: (bool(each.macs), len(each.macs) == 1)):
        again = f", asked {each.asked} times" if each.asked > 1 else ""
        took = f" in {duration(each.elapsed_ns)}" if each.elapsed_ns is not None else ""
        said = " and ".join(each.macs) + took if each.macs else "no answer in this file"
        asked = f"{address(each.asker, report.names)} asks for {address(each.target, report.names)}"
        yield [f"{asked}: {said}{again}, at {_listed(list(each.seen_at))}"]


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_PLACES
    return ", ".join(names[:MOST_PLACES]) + (f" and {more} more" if more > 0 else "")
