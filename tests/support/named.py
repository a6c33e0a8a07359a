"""Lookups as they come out of the correlator, written by hand: what was asked, where it was seen, what came back.

    answered(1, "A", SERVER, legs=(asked(hops, back),), answers=(record("A", "10.0.0.3"),))

Times are nanoseconds after the start of the lookup; a hop is written `web/eth0 out`.
"""

from typing import Any

from msgspec.structs import replace

from inspector.model.dns import Asked, Message, Record, Transport
from inspector.model.lookup import (
    EMBEDDED_DNS,
    Libc,
    Nameservers,
    Query,
    Replied,
    ResolverFile,
    ResolverSetup,
    Silent,
    TranslationRule,
    Unsent,
)
from inspector.model.names import Exchange, Leg, LegKind, Mechanism, NameReport
from inspector.model.path import Rewrite, Seen
from inspector.model.question import CapturePoint, Heading, Party, PathKind, Plan, Question, Resolution
from inspector.model.report import Outcome, Report, Statistics, Verdict
from inspector.model.topology import HOST, EngineIdentity, LinkKey, SandboxId

START = 1_700_000_000_000_000_000
US = 1_000
SOURCE, UPSTREAM = "tomcat01", "198.51.100.53"
LINKS = {"lo": 1, "eth0": 86, "veth8f1a2b3": 87, "br-36c1fb9920be": 5, "up0": 3}
ROLES = {"veth8f1a2b3": "port 1 of br-36c1fb9920be", "br-36c1fb9920be": "network mynet"}
RULE = TranslationRule(
    "nat",
    "DOCKER_OUTPUT",
    2,
    "-A DOCKER_OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40720",
    "nf_tables",
)
ENGINES = "the engine's file"
FILES = (ResolverFile("/etc/hosts", (), ENGINES), ResolverFile("/etc/resolv.conf", (), ENGINES))
SETUP = ResolverSetup(
    Libc.GLIBC,
    "/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 is there",
    order_evidence="/etc/nsswitch.conf, hosts:",
    nameservers=Nameservers((EMBEDDED_DNS,), ndots=0),
    files=FILES,
)


def point(name: str) -> CapturePoint:
    """Return the point written `web/eth0`."""
    sandbox, _, interface = name.partition("/")
    return CapturePoint(LinkKey(SandboxId(sandbox), LINKS[interface]), interface, role=ROLES.get(interface, ""))


def hop(place: str, at: int, flow: str, *rewrites: tuple[str, str, str], ttl: int = 64) -> Seen:
    """Return a sighting: `web/eth0 out`, when, and `SOURCE > DESTINATION`."""
    where, _, heading = place.partition(" ")
    source, _, destination = flow.partition(" > ")
    macs = "02:42:ac:11:00:02", "02:42:ac:11:00:01"
    changed = tuple(Rewrite(*each) for each in rewrites)
    return Seen(point(where), Heading(heading), START + at, None, *macs, source, destination, ttl, changed)


def on_loopback(at: int, flow: str, *rewrites: tuple[str, str, str], source: str = SOURCE) -> tuple[Seen, ...]:
    """Return both sightings of a frame on the source's loopback."""
    return hop(f"{source}/lo out", at, flow, *rewrites), hop(f"{source}/lo in", at + US, flow)


def to_embedded(at: int = 50 * US, port: int = 49718, *, source: str = SOURCE) -> tuple[Seen, ...]:
    """Return the way of a question to the embedded DNS."""
    rewrite = ("destination", "127.0.0.11:53", "127.0.0.11:40720")
    return on_loopback(at, f"127.0.0.1:{port} > 127.0.0.11:40720", rewrite, source=source)


def from_embedded(at: int, port: int = 49718, *, source: str = SOURCE) -> tuple[Seen, ...]:
    """Return the way of its answer."""
    return on_loopback(at, f"127.0.0.11:53 > 127.0.0.1:{port}", source=source)


def to_upstream(at: int, port: int = 39423, *, source: str = SOURCE, server: str = UPSTREAM) -> tuple[Seen, ...]:
    """Return the way of a question out of the container, over its bridge, masqueraded by the host."""
    flow, outside = f"192.168.0.2:{port} > {server}:53", f"198.51.100.1:{port}"
    changed = (("source", f"192.168.0.2:{port}", outside), ("ttl", "64", "63"), ("source_mac", "a", "b"))
    return (
        hop(f"{source}/eth0 out", at, flow),
        hop("host/veth8f1a2b3 in", at + 800, flow),
        hop("host/br-36c1fb9920be in", at + 800, flow),
        hop("host/up0 out", at + 9 * US, f"{outside} > {server}:53", *changed, ttl=63),
    )


def from_upstream(at: int, port: int = 39423, *, source: str = SOURCE, server: str = UPSTREAM) -> tuple[Seen, ...]:
    """Return the way of its answer."""
    back = f"{server}:53 > 192.168.0.2:{port}"
    changed = ("destination", f"198.51.100.1:{port}", f"192.168.0.2:{port}"), ("ttl", "64", "63")
    return (
        hop("host/up0 in", at, f"{server}:53 > 198.51.100.1:{port}"),
        hop("host/br-36c1fb9920be out", at + 6 * US, back, *changed, ttl=63),
        hop("host/veth8f1a2b3 out", at + 7 * US, back, ttl=63),
        hop(f"{source}/eth0 in", at + 8 * US, back, ttl=63),
    )


def record(kind: str, data: str, name: str = "mynet-tomcat02", ttl: int = 600) -> Record:
    """Return a resource record."""
    return Record(name, kind, data, ttl)


def message(*answers: Record, name: str = "mynet-tomcat02", kind: str = "A", **more: Any) -> Message:
    """Return an answer."""
    usual = Message(7, True, "NOERROR", False, True, False, Asked(name, kind), answers)  # noqa: FBT003
    return replace(usual, **more)


def asked(question: tuple[Seen, ...], answer: tuple[Seen, ...] = (), said: Message | None = None, **more: Any) -> Leg:
    """Return the source's own question."""
    usual = Leg(LegKind.ASKED, EMBEDDED_DNS, Transport.UDP, question, answer, said)
    return replace(usual, **more)


def forwarded(
    question: tuple[Seen, ...], answer: tuple[Seen, ...] = (), said: Message | None = None, **more: Any
) -> Leg:
    """Return what was asked on its behalf."""
    return replace(asked(question, answer, said), kind=LegKind.FORWARDED, **{"server": UPSTREAM, **more})


def query(number: int = 1, kind: str = "A", name: str = "mynet-tomcat02", **more: Any) -> Query:
    """Return a query to the embedded DNS over UDP."""
    return replace(Query(number, name, kind, EMBEDDED_DNS, Transport.UDP, 7), **more)


def replied(asks: Query, said: Message | None, *legs: Leg, after: int = 263 * US, rule: bool = False) -> Exchange:
    """Return a query that was answered."""
    outcome = Replied(asks, START, START + after, b"")
    return Exchange(outcome, said, legs, RULE if rule else None)


def silent(asks: Query, *legs: Leg, waited: int = 5_000_000 * US, rule: bool = False) -> Exchange:
    """Return a query that nobody answered."""
    return Exchange(Silent(asks, START, waited), None, legs, RULE if rule else None)


def refused(asks: Query, *legs: Leg, why: str = "Connection refused", rule: bool = False) -> Exchange:
    """Return a query that was refused."""
    return Exchange(Unsent(asks, START, 111, why, START + 25 * US), None, legs, RULE if rule else None)


def named(name: str, mechanism: Mechanism, *exchanges: Exchange, **more: Any) -> NameReport:
    """Return what came of a lookup of A and AAAA by the embedded DNS."""
    answers = tuple(record for each in exchanges for record in (each.message.answers if each.message else ()))
    solved = mechanism is not Mechanism.UNRESOLVED
    usual = NameReport(
        name,
        ("A", "AAAA"),
        SETUP,
        mechanism,
        addresses=tuple(each.data for each in answers if each.type in {"A", "AAAA"}),
        server=exchanges[0].outcome.query.server if exchanges and solved else None,
        answers=answers,
        canonical=name if solved else None,
        exchanges=exchanges,
    )
    return replace(usual, **more)


def quiet(*names: str) -> tuple[CapturePoint, ...]:
    """Return points that saw nothing."""
    return tuple(point(each) for each in names)


def reported(names: NameReport | None, *, source: str = SOURCE, names_only: bool = True, **more: Any) -> Report:
    """Return the report of `resolve`, or of a trace whose destination was looked up."""
    name = names.name if names else "tomcat02"
    address = names.addresses[0] if names and names.addresses else None
    mechanism = names.mechanism if names else "engine"
    plan = Plan(
        question=Question(source, name, names_only=names_only, types=names.types if names else ("A", "AAAA")),
        source=Party(source, HOST if source == HOST else SandboxId(source), None),
        destination=Party(name, None, address),
        resolution=Resolution(name, mechanism, address),
        kind=PathKind.NO_ROUTE,
        family=4,
    )
    solved = names is not None and names.mechanism is not Mechanism.UNRESOLVED
    verdict = Verdict(Outcome.DELIVERED if solved else Outcome.UNRESOLVED, f"{name}: {names.why if names else ''}")
    identity = EngineIdentity("Docker Engine", "20.10.24")
    usual = Report(plan, identity, verdict, Statistics(0, 0, None), (), (), (), (), ())
    return replace(usual, names=names, **more)


def with_resolution(report: Report, *, mechanism: str, address: str | None, **more: Any) -> Report:
    """Return the report with another word on where the address came from."""
    resolution = replace(report.plan.resolution, mechanism=mechanism, address=address, **more)
    return replace(report, plan=replace(report.plan, resolution=resolution))


def changed_setup(**changes: Any) -> ResolverSetup:
    """Return the usual setup, changed."""
    return replace(SETUP, **changes)


def searched(setup: ResolverSetup, *domains: str, **more: Any) -> ResolverSetup:
    """Return a setup with search domains."""
    return replace(setup, nameservers=replace(setup.nameservers, search=domains, **more))
