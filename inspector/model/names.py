"""How a name was looked up, as far as it could be followed: each query over every point, and what came of it all."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.dns import Message, Record, Transport
from inspector.model.lookup import HostsLine, QueryOutcome, ResolverSetup, TranslationRule
from inspector.model.path import Seen
from inspector.model.question import CapturePoint


class Mechanism(StrEnum):
    """Where an address came from."""

    ADDRESS = "address"
    ENGINE = "engine"
    HOSTS_FILE = "hosts-file"
    EMBEDDED_DNS = "embedded-dns"
    UPSTREAM_DNS = "upstream-dns"
    UNRESOLVED = "unresolved"


class LegKind(StrEnum):
    """Whose question it is."""

    ASKED = "asked"
    """The source's own."""
    FORWARDED = "forwarded"
    """What the server asked another one on its behalf."""


class Leg(Struct, frozen=True):
    """One question on its way to one server, and its answer on the way back."""

    kind: LegKind
    server: str
    """The address it goes to, as seen on the wire."""
    transport: Transport
    question: tuple[Seen, ...]
    answer: tuple[Seen, ...] = ()
    message: Message | None = None
    """The answer, read."""
    refusal: str | None = None
    """The ICMP error that came instead, who sent it, and where it was first seen."""


class Exchange(Struct, frozen=True):
    """One query of the source, and all that it set off."""

    outcome: QueryOutcome
    message: Message | None
    """The answer that reached the source's socket."""
    legs: tuple[Leg, ...]
    rule: TranslationRule | None = None
    """The rule of the source's own nat table that sent the query elsewhere."""

    @property
    def asked(self) -> Leg | None:
        """The source's own question."""
        return next((leg for leg in self.legs if leg.kind is LegKind.ASKED), None)

    @property
    def forwarded(self) -> tuple[Leg, ...]:
        """What was asked on its behalf."""
        return tuple(leg for leg in self.legs if leg.kind is LegKind.FORWARDED)


class NameReport(Struct, frozen=True):
    """The whole answer to `who has this name`."""

    name: str
    types: tuple[str, ...]
    setup: ResolverSetup
    mechanism: Mechanism
    """What answered; UNRESOLVED where nothing did."""
    addresses: tuple[str, ...] = ()
    """All that were answered, in the order of the answer."""
    server: str | None = None
    """Who answered, as the source asked it."""
    hosts: tuple[HostsLine, ...] = ()
    """The lines of /etc/hosts that answered."""
    answers: tuple[Record, ...] = ()
    canonical: str | None = None
    """The candidate that was answered: the name with the search domain that fitted."""
    reverse: str | None = None
    """The name of the first address, where it was asked for."""
    exchanges: tuple[Exchange, ...] = ()
    quiet: tuple[CapturePoint, ...] = ()
    """Points that were watched all the time and saw nothing of DNS."""
    unanswered: tuple[tuple[str, str], ...] = ()
    """(address asked for by ARP or ND, capture point), where who asked heard no answer."""
    why: str | None = None
    """Why there is no answer, in one sentence."""
