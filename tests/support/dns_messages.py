"""DNS messages to read: good ones that scapy built, and the parts that bad ones are made of."""

import struct
from collections.abc import Iterator

from inspector.model.dns import Message
from inspector.wire import dns, scapy_door

scapy_door.prepare()

from scapy.layers.dns import (  # noqa: E402
    DNS,
    DNSQR,
    DNSRR,
    DNSRRMX,
    DNSRROPT,
    DNSRRSOA,
    DNSRRSRV,
    dns_compress,
)

QUESTION = DNSQR(qname="web.example.com", qtype="A")
A_RECORD = DNSRR(rrname="web.example.com", type="A", ttl=600, rdata="10.0.0.3")
POINTER = b"\xc0\x0c"
RECORD = struct.Struct("!HHIH")
GOOD = {
    "query": DNS(id=0x1234, rd=1, qd=[QUESTION]),
    "answer": DNS(id=0x1234, qr=1, ra=1, qd=[QUESTION], an=[A_RECORD]),
    "chain": DNS(
        qr=1,
        qd=[DNSQR(qname="www.example.com")],
        an=[DNSRR(rrname="www.example.com", type="CNAME", rdata="web.example.com"), A_RECORD, A_RECORD],
        ar=[DNSRROPT()],
    ),
    "many": DNS(
        qr=1,
        aa=1,
        qd=[DNSQR(qname="example.com", qtype="ALL")],
        an=[
            DNSRRMX(rrname="example.com", preference=10, exchange="mail.example.com"),
            DNSRRSRV(rrname="_http._tcp.example.com", priority=1, weight=2, port=8080, target="web.example.com"),
            DNSRR(rrname="example.com", type="TXT", rdata=[b"one", b'two "\\\n']),
            DNSRR(rrname="example.com", type="AAAA", rdata="2001:db8::1"),
            DNSRR(rrname="1.0.0.10.in-addr.arpa", type="PTR", rdata="web.example.com"),
        ],
        ns=[DNSRR(rrname="example.com", type="NS", rdata="ns.example.com")],
    ),
    "nothing": DNS(
        qr=1,
        rcode=3,
        qd=[DNSQR(qname="nobody.example.com", qtype="AAAA")],
        ns=[DNSRRSOA(rrname="example.com", mname="ns.example.com", rname="root.example.com")],
    ),
    "root": DNS(qd=[DNSQR(qname=".", qtype="NS")]),
}
PLAIN = {name: bytes(packet) for name, packet in GOOD.items()}
COMPRESSED = {name: bytes(dns_compress(packet)) for name, packet in GOOD.items()}


def header(*counts: int, flags: int = 0x8180) -> bytes:
    return struct.pack("!HH4H", 0x1234, flags, *counts)


def question(name: bytes = b"\1a\0", kind: int = 1) -> bytes:
    return name + struct.pack("!HH", kind, 1)


def record(data: bytes, name: bytes = POINTER, kind: int = 1, of_class: int = 1) -> bytes:
    return name + RECORD.pack(kind, of_class, 60, len(data)) + data


def read(payload: bytes) -> Message:
    found = dns.read(payload)
    assert found is not None
    return found


def texts(message: Message) -> Iterator[str]:
    yield message.rcode
    yield message.damage or ""
    if message.asked:
        yield from (message.asked.name, message.asked.type)
    for each in message.answers:
        yield from (each.name, each.type, each.data)


def is_harmless(message: Message) -> bool:
    return all(text.isprintable() for text in texts(message))
