"""What a capture file cannot say, and why; only what applies to it. Pure."""

from collections.abc import Iterable, Iterator

from inspector.model.capture import CaptureReport, Interface

MICROSECOND = 1_000
TUNNEL_PORTS = frozenset({4789, 8472, 6081})
"""VXLAN (RFC 7348, and Linux's own), Geneve (RFC 8926)."""
TUNNELS = frozenset({"gre", "esp", "ip protocol 4", "ip protocol 41"})
MOST_NAMED = 3


def untold(report: CaptureReport) -> Iterator[str]:
    """Yield a sentence for each."""
    yield "no topology: which container, network or bridge port an interface belongs to, beyond its name"
    yield "no rules and no routes: why a packet is not seen further on; what is not in this file need not be lost"
    yield from _of_interfaces([each for each in report.interfaces if each.seen.frames] or list(report.interfaces))
    if report.timeless:
        yield f"when {report.timeless:,} frames came: they have no time stamp, and count as of the frame before"
    if report.backwards:
        yield (
            f"what belongs together in time: {report.backwards:,} frames stand more than a second late in the file "
            "(`reordercap FILE OUT` mends that)"
        )
    if any(_tunnelled(each.protocol, each.client.port, each.server.port) for each in report.conversations):
        yield "what is inside tunnels: only their outer packets are read"


def _of_interfaces(used: list[Interface]) -> Iterator[str]:
    if len(used) == 1:
        yield "one interface only: nothing of the way before and behind it, nor of answers by another way"
    yield from _counters(used)
    for each in used:
        if each.cut:
            yield (f"what was behind byte {each.longest_kept:,} of {each.cut:,} frames at {each.name}: they were cut")
    named = _named(each for each in used if each.filtered)
    if named:
        yield f"what else came past {named}: a filter chose the frames"
    coarse = [each for each in used if each.tick_ns >= MICROSECOND]
    if coarse and len(used) > 1:
        yield (
            f"the order of what came within {coarse[0].tick_ns // MICROSECOND:,} us: {_named(coarse)} stamp "
            "no finer; equal stamps are told in the order of the interfaces"
        )
    yield from _links(used)


def _links(used: list[Interface]) -> Iterator[str]:
    if any(each.link == "Linux cooked" for each in used):
        yield "which interface of `any` a frame was at: this link type does not keep it (tcpdump -y LINUX_SLL2 does)"
    numbered = _named(each for each in used if each.link == "Linux cooked v2")
    if numbered:
        yield f"names of interfaces: {numbered} stand by the number that `ip link` of that machine shows"
    without = _named(each for each in used if each.link != "Ethernet" and not each.link.startswith("link type"))
    if without:
        yield f"switched or routed where the TTL is the same: there are no MACs at {without}"
    for each in used:
        if each.unread:
            why = each.link if each.link.startswith("link type") else "neither IP nor ARP, or cut within their headers"
            yield f"what {each.unread:,} frames at {each.name} were about ({why})"


def _counters(used: list[Interface]) -> Iterator[str]:
    silent = _named(each for each in used if each.dropped is None)
    if silent:
        yield f"whether the capture lost frames: there are no counters for {silent}"
    for each in used:
        if each.dropped:
            yield f"what {each.dropped:,} frames at {each.name} were that the capture lost"


def _named(interfaces: Iterable[Interface]) -> str:
    names = [each.name for each in interfaces]
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _tunnelled(protocol: str, *ports: int | None) -> bool:
    return protocol in TUNNELS or (protocol == "udp" and bool(TUNNEL_PORTS & set(ports)))
