"""Which of some addresses a packet of neighbour discovery is about, also where its end was cut. Never raises.

The kernel tells 20 bytes of a traced packet's transport header: of an ICMPv6 solicitation or advertisement (RFC 4861,
4.3 and 4.4) type, code, checksum, flags, and 12 of the 16 bytes of the target. The other four follow from where it is
sent to (the solicited-node address, RFC 4291, 2.7.1, ends in the last three) or from who sends it.
"""

from collections.abc import Iterable
from ipaddress import IPv6Address, ip_address

SOLICITATION, ADVERTISEMENT = 135, 136
_V6, _ICMPV6 = 6, 58
_NEXT_HEADER, _SOURCE, _DESTINATION, _HEADER = 6, 8, 24, 40
_ADDRESS = 16
_TARGET = _HEADER + 8
_KNOWN = _TARGET + 12
_SOLICITED_NODE = bytes.fromhex("ff0200000000000000000001ff")


def discovery(packet: bytes, addresses: Iterable[str]) -> tuple[int, str] | None:
    """Return the message's type and the address it is about; None of any other packet, or about any other."""
    if len(packet) < _KNOWN or packet[0] >> 4 != _V6 or packet[_NEXT_HEADER] != _ICMPV6:
        return None
    kind, target = packet[_HEADER], packet[_TARGET : _TARGET + _ADDRESS]
    source, destination = packet[_SOURCE:_DESTINATION], packet[_DESTINATION:_HEADER]
    if kind not in {SOLICITATION, ADVERTISEMENT}:
        return None
    for address in addresses:
        known = ip_address(address.partition("%")[0])
        if not isinstance(known, IPv6Address) or not known.packed.startswith(target):
            continue
        told = len(target) == _ADDRESS
        asked = destination == _SOLICITED_NODE + known.packed[-3:]
        if (
            told
            or known.packed == (source if kind == ADVERTISEMENT else destination)
            or (kind == SOLICITATION and asked)
        ):
            return kind, address
    return None
