"""Build what we send: an echo request that carries our mark, ready for a raw ICMP socket, and a DNS query."""

from inspector.model.text import safe
from inspector.wire import scapy_door
from inspector.wire.dns_name import encode_name
from inspector.wire.dns_words import type_number

TOKEN_LENGTH = 16
SEQUENCE_LENGTH = 2
MARK_LENGTH = TOKEN_LENGTH + SEQUENCE_LENGTH

_V6 = 6
_IPV6_LENGTH = 40
_FILLER = bytes(range(0x10, 0x40))


def payload(token: bytes, sequence: int, size: int) -> bytes:
    """Return `size` bytes that make a frame ours: the token (16 bytes), the sequence (2), then ping's filler.

    Whatever does not fit is cut off. Where `size` is below 18, match with `data.startswith(token[:size])` and take the
    sequence from the ICMP header: the less of the token is there, the more the identifier has to tell, and with size 0
    it has to tell everything.
    """
    mark = token[:TOKEN_LENGTH].ljust(TOKEN_LENGTH, b"\0") + (sequence & 0xFFFF).to_bytes(SEQUENCE_LENGTH, "big")
    return (mark + _FILLER * (size // len(_FILLER) + 1))[:size]


def echo_request(
    *, family: int, source: str, destination: str, identifier: int, sequence: int, payload: bytes
) -> bytes:
    """Return an ICMP echo request (RFC 792) or ICMPv6 echo request (RFC 4443, 4.1) without an IP header.

    The checksum is right either way; the ICMPv6 one covers the addresses (RFC 8200, 8.1), and a raw ICMPv6 socket
    writes it anew (RFC 3542, 3.1).
    """
    scapy_door.prepare()
    if family == _V6:
        from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6

        echo = ICMPv6EchoRequest(id=identifier & 0xFFFF, seq=sequence & 0xFFFF, data=payload)
        return bytes(IPv6(src=source.partition("%")[0], dst=destination.partition("%")[0]) / echo)[_IPV6_LENGTH:]
    from inspector.wire.echo import EchoRequest

    return bytes(EchoRequest(id=identifier & 0xFFFF, seq=sequence & 0xFFFF) / payload)


def dns_query(*, name: str, type: str, identifier: int) -> bytes:  # noqa: A002 - what the model calls it
    """Return a query (RFC 1035, 4.1) as glibc and musl send it by default: one question, recursion desired, no EDNS.

    Raise ValueError where no type is called so, InvalidNameError where the name has no form on the wire.
    """
    number = type_number(type)
    if number is None:
        raise ValueError(f"no type of record is called {safe(type)}")
    # scapy cuts labels at 63 bytes and knows no escapes; it leaves a name alone that ends with a zero byte.
    encoded = encode_name(name)
    scapy_door.prepare()
    from scapy.layers.dns import DNS, DNSQR

    return bytes(DNS(id=identifier & 0xFFFF, rd=1, qd=[DNSQR(qname=encoded, qtype=number)]))
