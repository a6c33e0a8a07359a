"""Lookups for tests of the thinking half: DNS frames built by scapy, at points of a little world."""

from typing import Any

from msgspec.structs import replace

from inspector.model.dns import Transport
from inspector.model.lookup import (
    Libc,
    LookupPlan,
    Query,
    QueryOutcome,
    Replied,
    ResolverSetup,
    Silent,
    TranslationRule,
    Wanted,
)
from inspector.model.question import CapturePoint, Heading, Party
from inspector.model.recording import Lookup, Observation, TapCount
from inspector.model.topology import HOST, LinkKey, SandboxId
from inspector.wire import craft, scapy_door

scapy_door.prepare()

from scapy.layers.dns import DNS, DNSRR  # noqa: E402
from scapy.layers.inet import IP, TCP, UDP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

WEB = SandboxId("web")
EMBEDDED, UPSTREAM = "127.0.0.11", "198.51.100.53"
START = 1_700_000_000_000_000_000
POINTS = (
    CapturePoint(LinkKey(WEB, 1), "lo"),
    CapturePoint(LinkKey(WEB, 2), "eth0"),
    CapturePoint(LinkKey(HOST, 10), "veth1"),
    CapturePoint(LinkKey(HOST, 3), "br-app"),
    CapturePoint(LinkKey(HOST, 2), "uplink"),
    CapturePoint(LinkKey(HOST, 1), "lo"),
)
RULE = TranslationRule(
    table="nat",
    chain="DOCKER_OUTPUT",
    position=2,
    text="-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40720",
    backend="nf_tables",
    target="DNAT",
    destination="127.0.0.11/32",
    protocol="udp",
    port=53,
    to_address="127.0.0.11",
    to_port=40720,
)


def query(number: int = 1, kind: str = "A", *, name: str = "db", server: str = EMBEDDED, **more: Any) -> Query:
    more.setdefault("transport", Transport.UDP)
    return Query(number=number, name=name, type=kind, server=server, identifier=0x1000 + number, **more)


def question(asked: Query) -> bytes:
    return craft.dns_query(name=asked.name, type=asked.type, identifier=asked.identifier)


def answer(asked: Query, *records: str, rcode: int = 0, **more: Any) -> bytes:
    message = DNS(question(asked))
    answers = [DNSRR(rrname=asked.name, type=asked.type, ttl=600, rdata=each) for each in records]
    return bytes(DNS(id=message.id, qr=1, ra=1, rcode=rcode, qd=message.qd, an=answers, **more))


def replied(asked: Query, data: bytes, *, at: int = 0, port: int = 5000) -> Replied:
    return Replied(asked, START + at, START + at + 300_000, data, port)


def silent(asked: Query, *, at: int = 0, port: int = 5000) -> Silent:
    return Silent(asked, START + at, 1_000_000_000, port)


def seen(point: int, source: tuple[str, int], destination: tuple[str, int], data: bytes, **more: Any) -> Observation:
    """Return one sighting of a datagram; `at` is nanoseconds after the start, `heading` defaults to `out`."""
    at, heading = more.pop("at", 1_000), more.pop("heading", Heading.OUT)
    ttl = more.pop("ttl", 64)
    frame = Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / IP(src=source[0], dst=destination[0], ttl=ttl)
    segment = TCP(sport=source[1], dport=destination[1], **more) if more else UDP(sport=source[1], dport=destination[1])
    whole = bytes(frame / segment / data)
    return Observation(point, START + at, heading, 4 if heading is Heading.OUT else 0, whole, len(whole))


def lookup(*outcomes: QueryOutcome, frames: tuple[Observation, ...] = (), **changes: Any) -> Lookup:
    """Return a lookup of `db` inside `web`; `changes` are of its plan."""
    setup = changes.pop("setup", ResolverSetup(Libc.GLIBC, "assumed", rules=(RULE,)))
    wanted = Wanted("db", changes.pop("types", ("A", "AAAA")), changes.pop("sandbox", WEB))
    plan = replace(LookupPlan(wanted, Party("web", WEB, None, "web"), setup, points=POINTS), **changes)
    counts = tuple(TapCount(index, 10, 0) for index in range(len(POINTS)))
    return Lookup(plan, queries=outcomes, observations=frames, counts=counts)


def on_loopback(asked: Query, data: bytes | None, *, port: int = 5000, at: int = 1_000) -> tuple[Observation, ...]:
    """Return a query to the embedded DNS behind its translation, and the answer: once out and once in, as on a lo."""
    me, it, said = ("127.0.0.1", port), (EMBEDDED, 40720), (EMBEDDED, 53)
    frames = [seen(0, me, it, question(asked), at=at), seen(0, me, it, question(asked), at=at + 1, heading=Heading.IN)]
    if data is not None:
        frames += [seen(0, said, me, data, at=at + 200_000)]
        frames += [seen(0, said, me, data, at=at + 200_001, heading=Heading.IN)]
    return tuple(frames)
