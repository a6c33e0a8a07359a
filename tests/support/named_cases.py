"""Lookups of every kind, and how each is shown: `tests/render/names/CASE.txt` and `CASE.json`.

Run it to write those files anew, and look at what changed before keeping them.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import named
from msgspec.structs import replace
from named import UPSTREAM, US, asked, forwarded, message, query, record, replied

from inspector.model.dns import Message, Record, Transport
from inspector.model.lookup import HostsLine, Libc, Nameservers, ResolverFile, Service, Status, Upstream
from inspector.model.names import Exchange, Mechanism
from inspector.model.report import Confidence, Finding, Outcome, Report, Severity, Verdict
from inspector.model.topology import HOST, BlindSpot
from inspector.render.report_json import to_dict
from inspector.render.report_text import render_text

FOLDER = Path(__file__).parent.parent / "render" / "names"
DIRECT = named.changed_setup(nameservers=Nameservers((UPSTREAM,)))
NOBODY = message(name="tomcat02", rcode="NXDOMAIN")
PLACES = "tomcat01/eth0", "host/veth8f1a2b3", "host/br-36c1fb9920be"


def hosts_file() -> Report:
    """Return a name that a line of /etc/hosts has: a link."""
    line = HostsLine(7, "172.17.0.3", ("tomcat02", "7df1d282624b"))
    names = named.named(
        "tomcat02",
        Mechanism.HOSTS_FILE,
        addresses=(line.address,),
        canonical="tomcat02",
        hosts=(line,),
        setup=DIRECT,
        quiet=named.quiet("tomcat01/lo", *PLACES),
    )
    return named.reported(names)


def embedded() -> Report:
    """Return a name that the embedded DNS knows: A answered, AAAA without data, and the address's own name."""
    pointer = query(3, "PTR", "3.0.168.192.in-addr.arpa")
    own_name = message(record("PTR", "mynet-tomcat02.mynet.", pointer.name), name=pointer.name, kind="PTR")
    names = named.named(
        "mynet-tomcat02",
        Mechanism.EMBEDDED_DNS,
        _embedded(1, "A", record("A", "192.168.0.3")),
        _embedded(2, "AAAA", after=292 * US),
        replied(pointer, own_name, asked(named.to_embedded(), named.from_embedded(200 * US), own_name), rule=True),
        answers=(record("A", "192.168.0.3"),),
        reverse="mynet-tomcat02.mynet",
        quiet=named.quiet(*PLACES, "host/lo"),
    )
    return named.reported(names, side_effects=("asked 3 DNS queries from tomcat01",))


def _embedded(number: int, kind: str, *records: Record, after: int = 263 * US) -> Exchange:
    said = message(*records, kind=kind)
    return replied(
        query(number, kind),
        said,
        asked(named.to_embedded(), named.from_embedded(240 * US), said),
        after=after,
        rule=True,
    )


def forwarded_by_container() -> Report:
    """Return an outside name that the embedded DNS asked for in the container's own namespace."""
    there = record("A", "203.0.113.7", "www.example", 60), record("A", "203.0.113.8", "www.example", 60)
    said = message(record("CNAME", "www.example.", "web.example", 300), *there, name="web.example")
    names = named.named(
        "web.example",
        Mechanism.UPSTREAM_DNS,
        _forwarded(1, "A", "web.example", said),
        _forwarded(2, "AAAA", "web.example", message(name="web.example", kind="AAAA")),
        setup=named.changed_setup(upstreams=(Upstream(UPSTREAM),)),
        quiet=named.quiet("host/lo"),
    )
    return named.reported(names)


def _forwarded(number: int, kind: str, name: str, said: Message) -> Exchange:
    legs = (
        asked(named.to_embedded(), named.from_embedded(900 * US), said),
        forwarded(named.to_upstream(180 * US), named.from_upstream(700 * US), said),
    )
    return replied(query(number, kind, name), said, *legs, after=920 * US, rule=True)


def forwarded_by_host() -> Report:
    """Return an outside name that the embedded DNS asked for in the host's namespace."""
    said = message(record("A", "203.0.113.7", "www.example", 60), name="www.example")
    out, back = f"198.51.100.1:39423 > {UPSTREAM}:53", f"{UPSTREAM}:53 > 198.51.100.1:39423"
    legs = (
        asked(named.to_embedded(), named.from_embedded(900 * US), said),
        forwarded((named.hop("host/up0 out", 150 * US, out),), (named.hop("host/up0 in", 800 * US, back),), said),
    )
    conf = ResolverFile("/etc/resolv.conf", (), "the container's own file")
    names = named.named(
        "www.example",
        Mechanism.UPSTREAM_DNS,
        replied(query(1, "A", "www.example"), said, *legs, rule=True, after=930 * US),
        types=("A",),
        setup=named.changed_setup(upstreams=(Upstream(UPSTREAM, from_host=True),), files=(conf,)),
        quiet=named.quiet(*PLACES),
    )
    return named.reported(names)


def unknown_upstream() -> Report:
    """Return a name that the upstream server does not know, asked over the default bridge."""
    setup = replace(DIRECT, nameservers=Nameservers((UPSTREAM, "198.51.100.54"), timeout_s=1, rotate=True))
    names = named.named(
        "tomcat02",
        Mechanism.UNRESOLVED,
        _direct(1, "A", "tomcat02", NOBODY),
        _direct(2, "AAAA", "tomcat02", NOBODY),
        setup=setup,
        why=f"{UPSTREAM} says NXDOMAIN",
    )
    finding = Finding(
        "name-not-resolvable",
        Severity.ERROR,
        Confidence.CERTAIN,
        "tomcat02 is a container, and no name on the default bridge",
        (f"{UPSTREAM} says NXDOMAIN", "tomcat01 is on bridge alone"),
        ("docker network connect mynet tomcat01",),
    )
    return named.reported(names, findings=(finding,), blind_spots=(BlindSpot("host/up1", "is down"),))


def _direct(number: int, kind: str, name: str, said: Message | None) -> Exchange:
    leg = asked(named.to_upstream(60 * US), named.from_upstream(500 * US), said, server=UPSTREAM)
    return replied(query(number, kind, name, server=UPSTREAM), said, leg, after=520 * US)


def silent_upstream() -> Report:
    """Return a name that nobody answers: what the embedded DNS asked was seen to leave the host."""
    legs = asked(named.to_embedded()), forwarded(named.to_upstream(180 * US))
    tries = ((1, "A", 1), (2, "AAAA", 1), (3, "A", 2), (4, "AAAA", 2))
    exchanges = [
        named.silent(query(number, kind, "www.example", attempt=attempt), *legs, rule=True)
        for number, kind, attempt in tries
    ]
    names = named.named("www.example", Mechanism.UNRESOLVED, *exchanges, why="127.0.0.11 did not answer within 5.0 s")
    last = named.point("host/up0")
    return named.reported(names, verdict=Verdict(Outcome.UNRESOLVED, "", last))


def refused() -> Report:
    """Return a name that could not be asked for: the namespace has lost its nat rules."""
    leg = asked(named.on_loopback(50 * US, "127.0.0.1:49718 > 127.0.0.11:53"))
    error = "127.0.0.11 says port unreachable, seen at mynet-tomcat01/lo"
    names = named.named(
        "mynet-tomcat02",
        Mechanism.UNRESOLVED,
        named.refused(query(), replace(leg, refusal=error)),
        named.refused(query(2, "AAAA"), why="Network is unreachable"),
        why="127.0.0.11 cannot be asked: connection refused",
        quiet=named.quiet(*PLACES),
    )
    return named.reported(names)


def truncated() -> Report:
    """Return an answer that did not fit into a datagram, and was fetched whole over TCP."""
    records = [record("A", f"203.0.113.{number}", "big.example", 60) for number in range(1, 16)]
    cut = message(name="big.example", truncated=True)
    whole = message(*records, name="big.example")
    over_tcp = asked(
        named.to_upstream(70 * US), named.from_upstream(600 * US), whole, server=UPSTREAM, transport=Transport.TCP
    )
    names = named.named(
        "big.example",
        Mechanism.UPSTREAM_DNS,
        _direct(1, "A", "big.example", cut),
        replied(query(2, "A", "big.example", server=UPSTREAM, transport=Transport.TCP), whole, over_tcp),
        types=("A",),
        setup=DIRECT,
    )
    return named.reported(names)


def search_list() -> Report:
    """Return a name that only the second search domain makes whole."""
    first, second = "db.other.example", "db.corp.example"
    found = message(record("A", "203.0.113.7", second, 60), name=second)
    names = named.named(
        "db",
        Mechanism.UPSTREAM_DNS,
        _direct(1, "A", first, message(name=first, rcode="NXDOMAIN")),
        _direct(2, "A", second, found),
        types=("A",),
        canonical=second,
        setup=named.searched(DIRECT, "other.example", "corp.example", ndots=2),
    )
    return named.reported(names)


def pointer() -> Report:
    """Return the name of an address."""
    name = "3.0.168.192.in-addr.arpa"
    said = message(record("PTR", "mynet-tomcat02.mynet.", name), name=name, kind="PTR")
    leg = asked(named.to_embedded(), named.from_embedded(240 * US), said)
    names = named.named(
        "192.168.0.3",
        Mechanism.EMBEDDED_DNS,
        replied(query(1, "PTR", name), said, leg, rule=True),
        types=("PTR",),
        canonical=name,
        quiet=named.quiet(*PLACES),
    )
    return named.reported(names)


def hostile() -> Report:
    """Return a name of the user's and answers of a server's that would move a terminal's cursor if they could."""
    name = "a\x1b[31mb\u202e.example\n"
    said = message(
        record("TXT", '"\\027[2J"', r"a\x1b[31mb\u202e.example"),
        record("A", "203.0.113.7", "x" * 63 + "." + "y" * 63 + ".example"),
        name=r"a\x1b[31mb\u202e.example",
        damage="a compression loop",
    )
    names = named.named(
        name,
        Mechanism.UPSTREAM_DNS,
        _direct(1, "A", name, said),
        _direct(2, "AAAA", name, None),
        setup=replace(
            named.searched(DIRECT, "z" * 63 + ".example"),
            services=(Service("mdns4_minimal", (Status.SUCCESS, Status.NOT_FOUND)), Service("dns")),
            files=(ResolverFile("/etc/hosts", None, "the container's own file", "not a regular file"),),
        ),
    )
    return named.reported(names)


def dual_stack() -> Report:
    """Return a name with several addresses of both families, in an image with musl."""
    one = message(record("A", "192.168.0.3"), record("A", "192.168.0.4"))
    other = message(record("AAAA", "fd00:53::3"), record("AAAA", "fd00:53::4"), kind="AAAA")
    exchanges = [
        replied(query(number, kind), said, asked(named.to_embedded(), named.from_embedded(240 * US), said), rule=True)
        for number, kind, said in ((1, "A", one), (2, "AAAA", other))
    ]
    names = named.named(
        "mynet-tomcat02",
        Mechanism.EMBEDDED_DNS,
        *exchanges,
        setup=named.changed_setup(
            libc=Libc.MUSL, libc_evidence="/lib/ld-musl-x86_64.so.1 is there", order_evidence="musl: always so"
        ),
        quiet=named.quiet(*PLACES),
    )
    return named.reported(names)


def from_host() -> Report:
    """Return a name that the host itself looks up, over a long-winded IPv6 server."""
    server = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:53"
    said = message(record("AAAA", "2001:db8::7", "www.example"), name="www.example", kind="AAAA")
    out, back = f"[2001:db8:1:2:3:4:5:6]:39423 > [{server}]:53", f"[{server}]:53 > [2001:db8:1:2:3:4:5:6]:39423"
    leg = asked((named.hop("host/up0 out", 0, out),), (named.hop("host/up0 in", 900 * US, back),), said, server=server)
    names = named.named(
        "www.example",
        Mechanism.UPSTREAM_DNS,
        replied(query(1, "AAAA", "www.example", server=server), said, leg),
        types=("AAAA",),
        setup=named.changed_setup(nameservers=Nameservers((server,))),
    )
    return named.reported(names, source=HOST)


CASES: dict[str, Callable[[], Report]] = {
    "hosts-file": hosts_file,
    "embedded": embedded,
    "forwarded-by-container": forwarded_by_container,
    "forwarded-by-host": forwarded_by_host,
    "unknown-upstream": unknown_upstream,
    "silent-upstream": silent_upstream,
    "refused": refused,
    "truncated": truncated,
    "search-list": search_list,
    "pointer": pointer,
    "hostile": hostile,
    "dual-stack": dual_stack,
    "from-host": from_host,
}


def as_json(report: Report) -> str:
    """Write the part of the report's JSON that tells of names, what holds no other object on one line."""
    text = json.dumps(to_dict(report)["resolution"], indent=2) + "\n"
    return re.sub(r"\{[^{}]*\}", lambda found: re.sub(r"\n *", " ", found[0]), text)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, case in CASES.items():
        (FOLDER / f"{name}.txt").write_text(render_text(case(), width=80))
        (FOLDER / f"{name}.json").write_text(as_json(case()))
