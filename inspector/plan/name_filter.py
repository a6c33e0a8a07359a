"""Tell the kernel which frames belong to a lookup. Pure.

1. No port is looked at in UDP: inside a container's namespace a query to port 53 is seen on its way to another port,
   and what the embedded DNS forwards leaves from a port nobody knows. What stays the same is the name that is asked
   for: its first bytes stand at a fixed place behind the UDP header, in question and answer alike (RFC 1035, 4.1).
2. Names are compared without case (RFC 4343).
3. TCP has its name at no fixed place: there the ports decide, those that servers listen on.
4. ICMP errors and ARP or ND about the servers and gateways belong to it, too.
"""

from collections.abc import Iterable

from inspector.plan.bpf import (
    LOAD_BYTE,
    LOAD_HALF,
    LOAD_HALF_AT_X,
    LOAD_WORD,
    LOAD_WORD_AT_X,
    LOAD_X_IP_HEADER_LENGTH,
    Assembly,
    Instruction,
)
from inspector.plan.filters import numbers_of
from inspector.plan.frames import ARP, DISCOVERY, ETHERTYPE, ICMP, ICMPV6, IPV4, IPV6, NETWORK, TCP, UDP

_UNREACHABLE, _V6_UNREACHABLE = 3, 1
_V6_TRANSPORT = NETWORK + 40
_NAME = 8 + 12
"""Behind the UDP header (RFC 768) and the DNS header (RFC 1035, 4.1.1)."""
_PATTERN_LENGTH = 8


def name_program(*, names: Iterable[bytes], ports: Iterable[int], neighbours: Iterable[str]) -> tuple[Instruction, ...]:
    """Accept messages about these names (in wire form), TCP from and to these ports, and what is said about servers."""
    patterns = tuple(dict.fromkeys(_pattern(each) for each in names))
    known, near = tuple(ports), tuple(neighbours)
    lines = Assembly()
    lines.load(LOAD_HALF, ETHERTYPE).when((ARP,), "arp").when((IPV6,), "ipv6").unless(IPV4, "reject")
    _ipv4(lines, patterns, known)
    lines.label("ipv6")
    _ipv6(lines, patterns, known, numbers_of(near, 6))
    near4 = numbers_of(near, 4)
    lines.label("arp").load(LOAD_WORD, NETWORK + 14).when(near4, "accept")
    lines.load(LOAD_WORD, NETWORK + 24).when(near4, "accept").jump("reject")
    return lines.finish()


def _ipv4(lines: Assembly, patterns: Iterable[tuple[tuple[int, int], ...]], ports: tuple[int, ...]) -> None:
    lines.load(LOAD_X_IP_HEADER_LENGTH, NETWORK).load(LOAD_BYTE, NETWORK + 9)
    lines.when((UDP,), "udp4").when((TCP,), "tcp4").unless(ICMP, "reject")
    # BPF_MSH left the header's length in X, so that behind it stands the type.
    lines.load(LOAD_HALF_AT_X, NETWORK).keep(0xFF00).when((_UNREACHABLE << 8,), "accept").jump("reject")
    lines.label("tcp4").load(LOAD_HALF_AT_X, NETWORK).when(ports, "accept")
    lines.load(LOAD_HALF_AT_X, NETWORK + 2).when(ports, "accept").jump("reject")
    _named(lines.label("udp4"), LOAD_WORD_AT_X, NETWORK + _NAME, patterns)


def _ipv6(
    lines: Assembly, patterns: Iterable[tuple[tuple[int, int], ...]], ports: tuple[int, ...], near: tuple[int, ...]
) -> None:
    lines.load(LOAD_BYTE, NETWORK + 6).when((UDP,), "udp6").when((TCP,), "tcp6").unless(ICMPV6, "reject")
    lines.load(LOAD_BYTE, _V6_TRANSPORT).when((_V6_UNREACHABLE,), "accept")
    lines.when(DISCOVERY, "discovery").jump("reject")
    lines.label("discovery").load(LOAD_WORD, _V6_TRANSPORT + 20).when(near, "accept").jump("reject")
    lines.label("tcp6").load(LOAD_HALF, _V6_TRANSPORT).when(ports, "accept")
    lines.load(LOAD_HALF, _V6_TRANSPORT + 2).when(ports, "accept").jump("reject")
    _named(lines.label("udp6"), LOAD_WORD, _V6_TRANSPORT + _NAME, patterns)


def _named(lines: Assembly, load: int, at: int, patterns: Iterable[tuple[tuple[int, int], ...]]) -> None:
    for number, words in enumerate(patterns):
        for place, (mask, value) in enumerate(words):
            lines.load(load, at + 4 * place).keep(mask).unless(value, f"not {load} {number}")
        lines.jump("accept").label(f"not {load} {number}")
    lines.jump("reject")


def _pattern(name: bytes) -> tuple[tuple[int, int], ...]:
    """Return masks, and what is left under them of the first eight bytes of a name, case taken out of its letters."""
    # Behind a name stands its type, of which the first byte is 0 for all that are asked for here.
    start = (name + b"\0")[:_PATTERN_LENGTH]
    mask = bytes(0xDF if chr(each).isalpha() and each < 0x80 else 0xFF for each in start)  # noqa: PLR2004 - ASCII
    masked = bytes(each & kept for each, kept in zip(start, mask, strict=True))
    return tuple((_word(mask, at), _word(masked, at)) for at in range(0, len(start), 4))


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4].ljust(4, b"\0"), "big")
