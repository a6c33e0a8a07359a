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
from inspector.model.question import Heading
from inspector.model.sentence import join, say
from inspector.render.capture_words import Names, address, counted, end, sent_again, times
from inspector.render.language import spoken
from inspector.render.report_parts import field_word
from inspector.render.text import columns, duration, fitted

MOST_PLACES = 6
HANDS = {
    Hand.SWITCHED: say("switched"),
    Hand.ROUTED: say("routed"),
    Hand.READDRESSED: say("other MACs, same TTL"),
    Hand.UNTOLD: "",
}


def conversation_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say who talked to whom."""
    for each in report.conversations:
        ends = f"{each.protocol}  {end(each.client, report.names)} > {end(each.server, report.names)}"
        lasted = say("for {time}", time=duration(each.span.duration_ns))
        told = join(", ", (counted(each.there, each.back), lasted, *_segments(each)))
        yield [
            join(", ", (ends, *([say("later fragments")] if each.fragments else []))),
            join("; ", (told, _places(each))),
        ]


def _segments(each: Conversation) -> Iterator[str]:
    if each.repeated:
        yield sent_again(each.repeated)
    if each.late:
        yield say("{count:,} out of order", count=each.late)


def _places(each: Conversation) -> str:
    names = [seen.interface for seen in each.seen_at]
    alike = len({(seen.there, seen.back) for seen in each.seen_at}) == 1
    if alike:
        at = say("at {places}", places=_listed(names))
        return say("{said} (the same count)", said=at) if len(names) > 1 else at
    counts = [f"{seen.interface} ({seen.there}+{seen.back})" for seen in each.seen_at]
    return say("at {places}", places=_listed(counts))


def way_rows(report: CaptureReport, width: int) -> Iterator[list[str]]:
    """Say where packets were seen, in order: a ladder of lines that fit."""
    for way in report.ways:
        ends = f"{address(way.source, report.names)} > {address(way.destination, report.names)}"
        rows = [_place(each, way, report.names) for each in way.sightings]
        if way.ended_early:
            *cells, words = rows[-1]
            rows[-1] = (*cells, join(", ", filter(None, (words, say("last seen here, not later in this file")))))
        ladder = (fitted(line, width, row[-1]) for row, line in zip(rows, columns(rows), strict=True))
        packets = say("1 packet") if way.packets == 1 else say("{count:,} packets", count=way.packets)
        yield [f"{way.protocol}  {ends}   {spoken(packets)}", *chain.from_iterable(ladder)]


def _place(each: Sighting, way: Way, names: Names) -> tuple[str, ...]:
    words: list[str] = []
    if each.since is None:
        words.append(f"ttl {each.ttl}")
        since = ""
    else:
        since = times(each.since, way.packets) if each.since.max else "0"
        words.append("" if each.hand is None else HANDS[each.hand])
        if each.hand is not Hand.SWITCHED:
            words.append(f"ttl {each.ttl}")
    for field, new in (("source", each.source), ("destination", each.destination)):
        if new:
            words.append(say("{field} now {end}", field=field_word(field), end=end(new, names)))
    if each.source or each.destination:
        words.append(say("NAT, likely"))
    return (each.interface, Heading(each.heading) if each.heading else "", since, join(", ", filter(None, words)))


def echo_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say which pings were answered."""
    for each in sorted(report.echoes, key=lambda each: each.sent == each.answered):
        ends = f"{address(each.source, report.names)} > {address(each.destination, report.names)}"
        told: str = say("{received:,} of {sent:,} answered", received=each.answered, sent=each.sent)
        if each.rtt:
            told = say("{said} in {time}", said=told, time=times(each.rtt, each.answered))
        told = join(", ", (told, say("at {places}", places=each.interface)))
        if each.origin:
            flow = f"{each.origin.source} > {each.origin.destination}"
            told = say("{said} (rewritten: from {flow})", said=told, flow=flow)
        row: list[str] = [f"{ends}   {spoken(told)}"]
        if each.unanswered:
            more = each.sent - each.answered - len(each.unanswered)
            numbers: str = ", ".join(map(str, each.unanswered))
            if more > 0:
                numbers = say("{said} and {count:,} more", said=numbers, count=more)
            row.append(say("no answer in this file to sequence {numbers}", numbers=numbers))
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
    asked: str = f"{each.name} {each.type}  {end(each.client, names)} > {end(each.server, names)}"
    if each.transport != "udp":
        asked = say("{said} over {transport}", said=asked, transport=each.transport)
    return say("{said}: {answer}", said=asked, answer=_answer(each))


def _answer(each: DnsExchange) -> str:
    again = _again(each.asked)
    if each.rcode is None or each.elapsed_ns is None:
        return join(", ", (each.refusal or say("no answer in this file"), *again))
    told = say("{said} in {time}", said=each.rcode, time=duration(each.elapsed_ns))
    if each.answers:
        told = say("{said}: {answer}", said=told, answer=", ".join(each.answers))
    return join(", ", (told, *_details(each), *again))


def _details(each: DnsExchange) -> Iterator[str]:
    if not each.answers and each.rcode == "NOERROR":
        yield say("no data")
    if each.truncated:
        yield say("truncated")
    if each.answered_by and each.server.address == "127.0.0.11":
        yield say("from {server} (port 53 there is rewritten)", server=each.answered_by)
    elif each.answered_by:
        yield say("from {server}", server=each.answered_by)


def _again(asked: int) -> list[str]:
    return [say("asked {count} times", count=asked)] if asked > 1 else []


def _onward(each: DnsExchange, names: Names) -> str:
    flow = f"{end(each.client, names)} > {end(each.server, names)}"
    return say("seen on as {flow}: {answer}", flow=flow, answer=_answer(each))


def connection_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say how connections began and broke."""
    order = list(Opening)
    fine = (Opening.OPENED, None)
    for each in sorted(
        report.connections, key=lambda each: ((each.opening, each.reset_by) == fine, -order.index(each.opening))
    ):
        ends = f"{end(each.client, report.names)} > {end(each.server, report.names)}"
        row: list[str] = [say("{said}: {answer}", said=ends, answer=_opening(each))]
        if each.origin:
            flow = f"{each.origin.source} > {each.origin.destination}"
            row.append(say("the same, rewritten: {flow}", flow=flow))
        yield row


def _opening(each: Connection) -> str:
    syns = [say("{count} SYNs", count=each.syns)] if each.syns > 1 else []
    again = [sent_again(each.repeated)] if each.repeated else []
    reset = [say("reset by {address}", address=each.reset_by)] if each.reset_by else []
    at = say("at {places}", places=each.interface)
    if each.opening is Opening.REFUSED:
        how = each.refusal or say("RST from {address}", address=each.reset_by)
        return join(", ", (say("refused: {how}", how=how), *syns, at))
    if each.opening is Opening.UNANSWERED:
        return join(", ", (say("no answer in this file to its SYN"), *syns, *reset, at))
    if each.opening is Opening.UNSEEN:
        return join(", ", (say("begun before this file"), *reset, *again, at))
    opened = say("opened")
    if each.handshake_ns is not None:
        opened = say("opened in {time}", time=duration(each.handshake_ns))
    return join(", ", (opened, *syns, *reset, *again, at))


def complaint_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say who complained about what."""
    for each in report.complaints:
        ends = f"{each.protocol} {end(each.source, report.names)} > {end(each.destination, report.names)}"
        by, to = address(each.by, report.names), address(each.to, report.names)
        told = say("{by} says {words} to {to}", by=by, words=each.words, to=to)
        count = [say("{count:,} times", count=each.count)] if each.count > 1 else []
        places = _listed(list(each.seen_at))
        yield [join(", ", (told, *count)), say("about {flow}, at {places}", flow=ends, places=places)]


def neighbour_rows(report: CaptureReport) -> Iterator[list[str]]:
    """Say who asked for whose MAC."""
    for each in sorted(report.neighbours, key=lambda each: (bool(each.macs), len(each.macs) == 1)):
        said = join(" and ", each.macs) if each.macs else say("no answer in this file")
        if each.macs and each.elapsed_ns is not None:
            said = say("{said} in {time}", said=said, time=duration(each.elapsed_ns))
        asker, target = address(each.asker, report.names), address(each.target, report.names)
        asked = say("{asker} asks for {address}", asker=asker, address=target)
        at = say("at {places}", places=_listed(list(each.seen_at)))
        yield [join(", ", (say("{said}: {answer}", said=asked, answer=said), *_again(each.asked), at))]


def _listed(names: list[str]) -> str:
    more = len(names) - MOST_PLACES
    told = ", ".join(names[:MOST_PLACES])
    return say("{said} and {count} more", said=told, count=more) if more > 0 else told
