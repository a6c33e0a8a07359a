"""Name ICMP messages in the words that ping (iputils, `pr_icmph` and `print_icmp`) taught everyone."""

_FRAG_NEEDED = (3, 4)
_V6_PACKET_TOO_BIG = 2
_V6 = 6

_V4_WORDS: dict[int, str] = {
    0: "Echo Reply",
    3: "Destination Unreachable",
    4: "Source Quench",
    5: "Redirect",
    8: "Echo Request",
    9: "Router Advertisement",
    10: "Router Solicitation",
    11: "Time exceeded",
    12: "Parameter problem",
    13: "Timestamp",
    14: "Timestamp Reply",
}

_V4_CODES: dict[tuple[int, int], str] = {
    (3, 0): "Destination Net Unreachable",
    (3, 1): "Destination Host Unreachable",
    (3, 2): "Destination Protocol Unreachable",
    (3, 3): "Destination Port Unreachable",
    (3, 4): "Frag needed and DF set",
    (3, 5): "Source Route Failed",
    (3, 6): "Destination Net Unknown",
    (3, 7): "Destination Host Unknown",
    (3, 9): "Destination Net Prohibited",
    (3, 10): "Destination Host Prohibited",
    (3, 11): "Destination Net Unreachable for Type of Service",
    (3, 12): "Destination Host Unreachable for Type of Service",
    (3, 13): "Packet filtered",
    (3, 14): "Precedence Violation",
    (3, 15): "Precedence Cutoff",
    (5, 0): "Redirect Network",
    (5, 1): "Redirect Host",
    (5, 2): "Redirect Type of Service and Network",
    (5, 3): "Redirect Type of Service and Host",
    (11, 0): "Time to live exceeded",
    (11, 1): "Frag reassembly time exceeded",
}

_V6_WORDS: dict[int, str] = {
    1: "Destination unreachable",
    2: "Packet too big",
    3: "Time exceeded",
    4: "Parameter problem",
    128: "Echo request",
    129: "Echo reply",
    130: "MLD Query",
    131: "MLD Report",
    132: "MLD Reduction",
    133: "Router solicitation",
    134: "Router advertisement",
    135: "Neighbour solicitation",
    136: "Neighbour advertisement",
    137: "Redirect",
    143: "MLDv2 Report",
}

_V6_CODES: dict[tuple[int, int], str] = {
    (1, 0): "Destination unreachable: No route",
    (1, 1): "Destination unreachable: Administratively prohibited",
    (1, 2): "Destination unreachable: Beyond scope of source address",
    (1, 3): "Destination unreachable: Address unreachable",
    (1, 4): "Destination unreachable: Port unreachable",
    (1, 5): "Destination unreachable: Source address failed ingress/egress policy",
    (1, 6): "Destination unreachable: Reject route",
    (3, 0): "Time exceeded: Hop limit",
    (3, 1): "Time exceeded: Defragmentation failure",
    (4, 0): "Parameter problem: Wrong header field",
    (4, 1): "Parameter problem: Unknown header",
    (4, 2): "Parameter problem: Unknown option",
}

_CODELESS = {4: frozenset({0, 4, 8, 9, 10, 12, 13, 14}), _V6: frozenset({2, *range(128, 144)})}


def icmp_words(family: int, type: int, code: int, mtu: int | None = None) -> str:  # noqa: A002 - the RFC's word
    """Say what an ICMP (`family` 4) or ICMPv6 (6) message means; `mtu` completes the two messages that carry one."""
    words = _named(family, type, code)
    if mtu is None:
        return words
    if family == _V6:
        return f"{words}: mtu={mtu}" if type == _V6_PACKET_TOO_BIG else words
    return f"{words} (mtu = {mtu})" if (type, code) == _FRAG_NEEDED else words


def _named(family: int, kind: int, code: int) -> str:
    exact = (_V6_CODES if family == _V6 else _V4_CODES).get((kind, code))
    if exact:
        return exact
    words = (_V6_WORDS if family == _V6 else _V4_WORDS).get(kind)
    if words is None:
        return f"ICMPv6 type {kind} code {code}" if family == _V6 else f"ICMP type {kind} code {code}"
    return words if kind in _CODELESS[_V6 if family == _V6 else 4] else f"{words}, code {code}"
