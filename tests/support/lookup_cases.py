"""Read the lookups under tests/plan/lookups: files, what the servers say, and the queries that a libc sends.

Each case is driven by tests/plan/test_resolver.py through our machine, and some by tests/kernel/test_real_libc.py
through the libc of this machine, in a namespace of its own. The queries and the errors in them were measured by
real_libc.py, with glibc 2.36 (Debian 12) and musl 1.2.5.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, field

FOLDER = Path(__file__).parents[1] / "plan" / "lookups"


class Asked(Struct, frozen=True):
    """One query: seconds after the first one, and a number for the socket, counted in the order of their first use."""

    at_s: float
    server: str
    transport: str
    type: str
    name: str
    socket: int


class Says(Struct, frozen=True):
    """What a server does with a query: the first rule that fits and was not yet used up."""

    reply: str = "NOERROR"
    """A response code, `silence`, `truncated` or `reset`."""
    answers: tuple[str, ...] = ()
    """`A 10.0.0.1`, `CNAME far.example`."""
    server: str | None = None
    type: str | None = None
    name: str | None = None
    transport: str | None = None
    after_s: float = 0.0
    times: int = 1_000_000
    recursive: bool = True

    def fits(self, server: str, transport: str, kind: str, name: str) -> bool:
        """Whether the rule is about this query."""
        pairs = ((self.server, server), (self.transport, transport), (self.type, kind), (self.name, name))
        return all(mine in {None, theirs} for mine, theirs in pairs)


class Script(Struct):
    """The rules, and how often each was used."""

    rules: tuple[Says, ...]
    used: dict[int, int] = field(default_factory=dict)

    def answer(self, server: str, transport: str, kind: str, name: str) -> Says:
        """Return what happens to the next query; nothing where no rule fits."""
        for place, rule in enumerate(self.rules):
            if rule.fits(server, transport, kind, name) and self.used.get(place, 0) < rule.times:
                self.used[place] = self.used.get(place, 0) + 1
                return rule
        return Says(reply="silence")


class Case(Struct, frozen=True):
    """One lookup."""

    name: str
    libc: str
    wanted: str
    types: tuple[str, ...]
    resolv_conf: str
    hosts: str
    nsswitch: str | None
    hostname: str
    rules: tuple[Says, ...]
    refused: tuple[str, ...]
    """Servers where nobody listens."""
    queries: tuple[Asked, ...]
    expect: Mapping[str, Any]
    """`error` is what getaddrinfo(3) returned, empty where it was content; `over_s` when, after the first query.

    The rest is what we call that: `ending` where DNS is asked, `candidate`, the lines of `hosts` that answer.
    """


def cases() -> list[Case]:
    """Return all of them."""
    return [read_case(each) for each in sorted(FOLDER.glob("*.toml"))]


def read_case(path: Path) -> Case:
    """Read one file."""
    data = tomllib.loads(path.read_text())
    expect = data.pop("expect")
    return Case(
        name=path.stem,
        libc=data.pop("libc", "glibc"),
        wanted=data.pop("name"),
        types=tuple(data.pop("types", ("A", "AAAA"))),
        resolv_conf=data.pop("resolv_conf"),
        hosts=data.pop("hosts", ""),
        nsswitch=data.pop("nsswitch", None),
        hostname=data.pop("hostname", "here"),
        rules=tuple(Says(**{**each, "answers": tuple(each.get("answers", ()))}) for each in data.pop("says", ())),
        refused=tuple(data.pop("refused", ())),
        queries=tuple(Asked(*each) for each in expect.pop("queries", ())),
        expect=expect,
    )
