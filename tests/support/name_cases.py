"""One lookup for each finding about names, in a little world of containers."""

from collections.abc import Callable
from typing import Any

from dns_frames import (
    EMBEDDED,
    RULE,
    START,
    UPSTREAM,
    answer,
    lookup,
    on_loopback,
    query,
    question,
    replied,
    seen,
    silent,
)
from msgspec.structs import replace
from topologies import read, recorded, sent

from inspector.correlate.name_report import name_report
from inspector.model.dns import Transport
from inspector.model.lookup import HostsLine, Libc, ResolverSetup, Unsent
from inspector.model.question import Question
from inspector.model.recording import Lookup, Recording
from inspector.model.topology import Topology
from inspector.plan.make import make_plan

WORLD = read(
    """
[networks.bridge]
bridge = "docker0"
subnets = ["172.17.0.1/16"]
[networks.app]
bridge = "br-app"
subnets = ["172.18.0.1/16"]
[networks.other]
bridge = "br-other"
subnets = ["172.19.0.1/16"]
[containers.web]
networks = { app = ["172.18.0.2"] }
[containers.db]
networks = { app = ["172.18.0.3"] }
[containers.far]
networks = { other = ["172.19.0.3"] }
[containers.plain]
networks = { bridge = ["172.17.0.2"] }
[containers.plain2]
networks = { bridge = ["172.17.0.3"] }
[containers.both]
networks = { app = ["172.18.0.4"], other = ["172.19.0.4"] }
[containers.gone]
state = "exited"
networks = { app = [] }
"""
)
SILENT_NS = 1_000_000_000


def resolved(asked: Lookup, name: str = "db", source: str = "web", world: Topology = WORLD) -> Recording:
    """Return the recording of `resolve SOURCE NAME` with this lookup."""
    wanted = replace(asked.plan.wanted, name=name)
    plan = make_plan(world, Question(source, name, names_only=True))
    asked = replace(asked, plan=replace(asked.plan, wanted=wanted, source=plan.source))
    return Recording(
        world, make_plan(world, Question(source, name, names_only=True), name_report(asked)), b"", lookup=asked
    )


def traced(asked: Lookup, name: str = "db", source: str = "web", world: Topology = WORLD) -> Recording:
    """Return the recording of `trace SOURCE NAME` with this lookup, its probe unanswered."""
    asked = replace(asked, plan=replace(asked.plan, wanted=replace(asked.plan.wanted, name=name)))
    plan = make_plan(world, Question(source, name), name_report(asked))
    return replace(recorded(world, plan, probes=(sent(),), request=0, reply=0), lookup=asked)


def denied(name: str, server: str = UPSTREAM, *, forwarded: bool = False) -> Lookup:
    """Return a lookup that an upstream server says NXDOMAIN to, asked or on behalf of the embedded DNS."""
    asked = query(name=name, server=EMBEDDED if forwarded else server)
    data = answer(asked, rcode=3)
    web, there = ("172.18.0.2", 6000), (UPSTREAM, 53)
    frames = (seen(1, web, there, question(asked), at=50_000), seen(1, there, web, data, at=90_000))
    return lookup(
        replied(asked, data), frames=(*on_loopback(asked, data), *frames) if forwarded else frames, types=("A",)
    )


def known(name: str, *addresses: str) -> Lookup:
    """Return a lookup that the embedded DNS answers out of its own knowledge."""
    first, second = query(1, name=name), query(2, "AAAA", name=name)
    data = answer(first, *addresses), answer(second)
    frames = (*on_loopback(first, data[0]), *on_loopback(second, data[1], at=2_000))
    return lookup(replied(first, data[0]), replied(second, data[1], at=500), frames=frames)


def refused(*, translated: bool) -> Lookup:
    """Return a query to the embedded DNS that is refused at once."""
    asked = query()
    frames = (
        on_loopback(asked, None) if translated else (seen(0, ("127.0.0.1", 5000), (EMBEDDED, 53), question(asked)),)
    )
    setup = ResolverSetup(Libc.GLIBC, "assumed", rules=(RULE,) if translated else ())
    outcome = Unsent(asked, START, 111, "Connection refused", START + 90_000, 5000)
    return lookup(outcome, frames=frames, setup=setup, types=("A",))


def unanswered(*, forwarded: bool) -> Lookup:
    """Return a query that nobody answers, asked of an upstream server or on behalf of the embedded DNS."""
    asked = query(name="www.example", server=EMBEDDED if forwarded else UPSTREAM)
    frames = (seen(1, ("172.18.0.2", 6000), (UPSTREAM, 53), question(asked), at=50_000),)
    return lookup(silent(asked), frames=(*on_loopback(asked, None), *frames) if forwarded else frames, types=("A",))


def half() -> Lookup:
    """Return a lookup whose A is answered and whose AAAA is not."""
    first, second = query(1, server=UPSTREAM), query(2, "AAAA", server=UPSTREAM)
    return lookup(replied(first, answer(first, "203.0.113.7")), silent(second))


def searched(*, ms: int, names: int) -> Lookup:
    """Return a lookup that finds its name behind so many candidates."""
    tried = [query(number, name=f"db.{number}.example", server=UPSTREAM) for number in range(1, names + 1)]
    step = ms * 1_000_000 // names
    said = [answer(each, rcode=3) for each in tried[:-1]] + [answer(tried[-1], "203.0.113.7")]
    pairs = enumerate(zip(tried, said, strict=True))
    return lookup(*(replied(each, data, at=number * step) for number, (each, data) in pairs), types=("A",))


def truncated() -> Lookup:
    """Return an answer that does not fit, and a connection for the whole one that is refused."""
    first, second = query(1, server=UPSTREAM), query(2, server=UPSTREAM, transport=Transport.TCP)
    refusal = Unsent(second, START + 500_000, 111, "Connection refused", START + 600_000, 5001)
    return lookup(replied(first, answer(first, tc=1)), refusal, types=("A",))


def dropped() -> Lookup:
    """Return records that reached the embedded DNS and that it did not hand back."""
    asked = query(name="big.example")
    web, there = ("172.18.0.2", 6000), (UPSTREAM, 53)
    whole, nothing = answer(asked, "203.0.113.7", "203.0.113.8"), answer(asked)
    frames = (seen(1, web, there, question(asked), at=50_000), seen(1, there, web, whole, at=90_000))
    return lookup(replied(asked, nothing), frames=(*on_loopback(asked, nothing), *frames), types=("A",))


def line(address: str, *names: str) -> Lookup:
    """Return a name that the hosts file answers."""
    return lookup(hosts=(HostsLine(7, address, names or ("db",)),), asks=False)


def linked() -> Topology:
    """Return the world with a link from `plain2` to `plain`."""
    containers = tuple(replace(each, links=("plain",)) if each.name == "plain2" else each for each in WORLD.containers)
    return replace(WORLD, containers=containers)


CASES: dict[str, Callable[[], Recording]] = {
    "name-not-resolvable": lambda: resolved(denied("plain2"), "plain2", "plain"),
    "link-one-way": lambda: resolved(denied("plain2"), "plain2", "plain", linked()),
    "hosts-file-stale": lambda: resolved(line("172.18.0.99")),
    "embedded-dns-silent": lambda: resolved(refused(translated=False)),
    "embedded-dns-forwards-own-names": lambda: resolved(denied("db", forwarded=True)),
    "upstream-dns-unreachable": lambda: resolved(unanswered(forwarded=True), "www.example"),
    "slow-lookup": lambda: resolved(half()),
    "dns-truncated": lambda: resolved(truncated()),
}
HEALTHY: dict[str, tuple[Callable[[], Recording], set[str]]] = {
    "embedded": (lambda: resolved(known("db", "172.18.0.3")), set()),
    "own hosts line": (lambda: resolved(line("172.18.0.2", "web"), "web"), set()),
    "hosts line of a container": (lambda: resolved(line("172.18.0.3")), set()),
    "hosts line of the outside": (lambda: resolved(line("203.0.113.9", "db.example"), "db.example"), set()),
    "hosts line of an alias": (lambda: resolved(line("172.18.0.3", "alias"), "alias"), set()),
    "hosts line of the gateway": (lambda: resolved(line("172.18.0.1", "gw"), "gw"), set()),
    "upstream": (lambda: resolved(searched(ms=1, names=1), "db.1.example"), set()),
    "a quick search": (lambda: resolved(searched(ms=30, names=4)), set()),
    "several networks": (lambda: resolved(known("both", "172.18.0.4"), "both"), {"dual-homed"}),
}


def found(recording: Recording) -> dict[str, Any]:
    """Return the findings of a recording by their ids."""
    from inspector.pipeline import review

    return {each.id: each for each in review(recording).findings}
