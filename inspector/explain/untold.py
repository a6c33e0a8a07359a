"""What a capture file cannot say, and why; only what applies to it. Pure."""

from collections.abc import Iterable, Iterator

from inspector.model.capture import CaptureReport, Interface
from inspector.model.sentence import say

MICROSECOND = 1_000
TUNNEL_PORTS = frozenset({4789, 8472, 6081})
"""VXLAN (RFC 7348, and Linux's own), Geneve (RFC 8926)."""
TUNNELS = frozenset({"gre", "esp", "ip protocol 4", "ip protocol 41"})
MOST_NAMED = 3


def untold(report: CaptureReport) -> Iterator[str]:
    """Yield a sentence for each."""
    yield say("no topology: which container, network or bridge port an interface belongs to, beyond its name")
    yield say("no rules and no routes: why a packet is not seen further on; what is not in this file need not be lost")
    yield from _of_interfaces([each for each in report.interfaces if each.seen.frames] or list(report.interfaces))
    if report.timeless:
        yield say(
            "when {count:,} frames came: they have no time stamp, and count as of the frame before",
            count=report.timeless,
        )
    if report.backwards:
        yield say(
            "what belongs together in time: {count:,} frames stand more than a second late in the file "
            "(`reordercap FILE OUT` mends that)",
            count=report.backwards,
        )
    if any(_tunnelled(each.protocol, each.client.port, each.server.port) for each in report.conversations):
        yield say("what is inside tunnels: only their outer packets are read")


def _of_interfaces(used: list[Interface]) -> Iterator[str]:
    if len(used) == 1:
        yield say("one interface only: nothing of the way before and behind it, nor of answers by another way")
    yield from _counters(used)
    for each in used:
        if each.cut:
            yield say(
                "what was behind byte {byte:,} of {count:,} frames at {interface}: they were cut",
                byte=each.longest_kept,
                count=each.cut,
                interface=each.name,
            )
    named = _named(each for each in used if each.filtered)
    if named:
        yield say("what else came past {interfaces}: a filter chose the frames", interfaces=named)
    coarse = [each for each in used if each.tick_ns >= MICROSECOND]
    if coarse and len(used) > 1:
        yield say(
            "the order of what came within {time:,} us: {interfaces} stamp no finer; equal stamps are told in the "
            "order of the interfaces",
            time=coarse[0].tick_ns // MICROSECOND,
            interfaces=_named(coarse),
        )
    yield from _links(used)


def _links(used: list[Interface]) -> Iterator[str]:
    if any(each.link == "Linux cooked" for each in used):
        yield say(
            "which interface of `any` a frame was at: this link type does not keep it (tcpdump -y LINUX_SLL2 does)"
        )
    numbered = _named(each for each in used if each.link == "Linux cooked v2")
    if numbered:
        yield say(
            "names of interfaces: {interfaces} stand by the number that `ip link` of that machine shows",
            interfaces=numbered,
        )
    without = _named(each for each in used if each.link != "Ethernet" and not each.link.startswith("link type"))
    if without:
        yield say("switched or routed where the TTL is the same: there are no MACs at {interfaces}", interfaces=without)
    for each in used:
        if each.unread:
            why = say("neither IP nor ARP, or cut within their headers")
            yield say(
                "what {count:,} frames at {interface} were about ({why})",
                count=each.unread,
                interface=each.name,
                why=each.link if each.link.startswith("link type") else why,
            )


def _counters(used: list[Interface]) -> Iterator[str]:
    silent = _named(each for each in used if each.dropped is None)
    if silent:
        yield say("whether the capture lost frames: there are no counters for {interfaces}", interfaces=silent)
    for each in used:
        if each.dropped:
            yield say(
                "what {count:,} frames at {interface} were that the capture lost",
                count=each.dropped,
                interface=each.name,
            )


def _named(interfaces: Iterable[Interface]) -> str:
    names = [each.name for each in interfaces]
    more = len(names) - MOST_NAMED
    told = ", ".join(names[:MOST_NAMED])
    return say("{said} and {count} more", said=told, count=more) if more > 0 else told


def _tunnelled(protocol: str, *ports: int | None) -> bool:
    return protocol in TUNNELS or (protocol == "udp" and bool(TUNNEL_PORTS & set(ports)))
