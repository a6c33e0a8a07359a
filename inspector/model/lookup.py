"""A name looked up: what the source's resolver goes by, what it asked, and what came back."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.dns import Transport
from inspector.model.question import CapturePoint, Party
from inspector.model.topology import SandboxId

EMBEDDED_DNS = "127.0.0.11"
"""Where Docker's embedded DNS answers, inside a container's namespace; its resolv.conf says whether it is asked."""


class Libc(StrEnum):
    """Whose rules a lookup follows."""

    GLIBC = "glibc"
    MUSL = "musl"


class ResolverFile(Struct, frozen=True):
    """One of the files that a resolver reads, as the source would see it."""

    path: str
    """Where the source would open it: `/etc/hosts`."""
    lines: tuple[str, ...] | None
    """Made harmless, each tab a blank; None where it could not be read."""
    origin: str
    """Where it was read: `the engine's file`, `the container's own file`, `the host's file`."""
    why: str | None = None
    """Why it could not be read, in words: `no such file`, `not a regular file`.

    Beside lines: why those are the engine's and not the container's own, or not all of it.
    """

    @property
    def text(self) -> str | None:
        """Return the lines as they stood, one below the other."""
        return None if self.lines is None else "\n".join(self.lines)


class HostsLine(Struct, frozen=True):
    """One line of /etc/hosts that holds an address."""

    number: int
    """Counted from 1, as an editor does."""
    address: str
    names: tuple[str, ...]


class Status(StrEnum):
    """How a mechanism of the name service switch ended (nsswitch.conf(5))."""

    SUCCESS = "success"
    NOT_FOUND = "notfound"
    UNAVAILABLE = "unavail"
    TRY_AGAIN = "tryagain"


class Service(Struct, frozen=True):
    """One mechanism of the `hosts:` line of /etc/nsswitch.conf."""

    name: str
    """`files`, `dns`, or what else is written there."""
    ends_on: tuple[Status, ...] = (Status.SUCCESS,)
    """The endings after which no later mechanism is asked: `[NOTFOUND=return]` adds one."""


FILES_THEN_DNS = (Service("files"), Service("dns"))
"""The order where nothing says otherwise: glibc 2.35 and later (nss/nss_database.c), and musl always."""


class Nameservers(Struct, frozen=True):
    """What /etc/resolv.conf says (resolv.conf(5)), defaults filled in."""

    addresses: tuple[str, ...] = ("127.0.0.1",)
    """In order, at most three; an IPv6 one may carry a scope: `fe80::1%eth0`."""
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout_s: float = 5.0
    attempts: int = 2
    rotate: bool = False
    single_request: bool = False
    """A and AAAA one after the other, not at once (`single-request`, `single-request-reopen`)."""
    single_request_reopen: bool = False
    """And each from a socket of its own."""
    use_tcp: bool = False
    """`use-vc`."""
    edns0: bool = False
    """Queries say how long an answer over UDP may be (RFC 6891); glibc says 1200 bytes."""
    no_aaaa: bool = False
    """AAAA is never asked for (`no-aaaa`)."""
    no_tld_query: bool = False
    """A name without a dot is not asked for as it is, where there are search domains (`no-tld-query`)."""
    forwards_to: tuple["Upstream", ...] = ()
    """Where the embedded DNS sends what it does not know, as the engine notes in a comment of the file."""


class Upstream(Struct, frozen=True):
    """A server that the embedded DNS forwards to."""

    address: str
    from_host: bool = False
    """Asked from the host's namespace, not the container's: written `host(ADDRESS)` by Engine 25 and later."""


class TranslationRule(Struct, frozen=True):
    """A rule of a nat table. What it matches and does is in the text; the plain parts of that are fields as well."""

    table: str
    chain: str
    position: int
    """Within its chain, counted from 1, as `iptables -L --line-numbers` does."""
    text: str
    """As `iptables-save` writes it, from `-A` on; `[NAME]` stands for what could not be read of it."""
    backend: str
    """`nf_tables` or `legacy`."""
    family: str = "ip"
    """`ip`, `ip6`, or `inet` for both."""
    target: str | None = None
    """`DNAT`, `SNAT`, `MASQUERADE`, `REDIRECT`, `RETURN`..., or the chain it jumps to; None where it only counts."""
    source: str | None = None
    """The one address or prefix it matches, not negated; as the fields below, None where there is no such."""
    destination: str | None = None
    protocol: str | None = None
    source_port: int | None = None
    port: int | None = None
    """The destination port it matches."""
    to_address: str | None = None
    """What it rewrites the address to, where that is one address."""
    to_port: int | None = None


class ResolverSetup(Struct, frozen=True):
    """Everything the source's resolver goes by."""

    libc: Libc
    libc_evidence: str
    """`/lib/ld-musl-x86_64.so.1 is there`, or `assumed: ...`."""
    services: tuple[Service, ...] = FILES_THEN_DNS
    """The mechanisms in order, as `hosts:` in nsswitch.conf gives them."""
    order_evidence: str = ""
    hosts: tuple[HostsLine, ...] = ()
    nameservers: Nameservers = Nameservers()
    upstreams: tuple[Upstream, ...] = ()
    """Where the embedded DNS would forward to, as far as anything says."""
    own_servers: tuple[str, ...] = ()
    """Where the engine's own DNS server is for the source, where it is not on the source's loopback."""
    files: tuple[ResolverFile, ...] = ()
    rules: tuple[TranslationRule, ...] = ()
    """Of the source's own nat table."""
    rules_why: str | None = None
    """Why they could not be read, where they could not."""

    @property
    def order(self) -> tuple[str, ...]:
        """The names of the mechanisms, in order."""
        return tuple(each.name for each in self.services)


class Query(Struct, frozen=True):
    """One DNS question, on its way to one server."""

    number: int
    """Counted from 1 over the lookup."""
    name: str
    type: str
    server: str
    transport: Transport
    identifier: int
    attempt: int = 1
    """Which time this question goes to this server by this transport, counted from 1."""
    socket: int = 0
    """Queries of one number leave from one socket, as they do in libc: the same source port, the same connection."""


class Replied(Struct, frozen=True):
    """A query whose answer reached the socket that asked."""

    query: Query
    at_ns: int
    answered_ns: int
    message: bytes
    source_port: int = 0


class Silent(Struct, frozen=True):
    """A query that nobody answered in time."""

    query: Query
    at_ns: int
    waited_ns: int
    source_port: int = 0


class Unsent(Struct, frozen=True):
    """A query that was refused by the source's own stack, or by an ICMP error or a TCP reset, in the kernel's words."""

    query: Query
    at_ns: int
    errno: int
    why: str
    at_end_ns: int = 0
    """When the refusal came."""
    source_port: int = 0


QueryOutcome = Replied | Silent | Unsent


class Wanted(Struct, frozen=True):
    """What is looked up, for whom, and how long each answer may take."""

    name: str
    """As the user gave it; a trailing dot makes it absolute."""
    types: tuple[str, ...]
    sandbox: SandboxId
    every: bool = False
    """Go on where libc would stop: every mechanism, server and search domain is asked once."""
    timeout_s: float | None = None
    """For each query; None is what /etc/resolv.conf says."""
    attempts: int | None = None


class Ending(StrEnum):
    """What came of asking DNS, in the end."""

    ANSWERED = "answered"
    NO_DATA = "nodata"
    """The name is there, and nothing of the types that were asked for."""
    NO_SUCH_NAME = "nxdomain"
    SERVER_FAILED = "servfail"
    REFUSED = "refused"
    """A server gave another error: REFUSED, NOTIMP, FORMERR."""
    TIMED_OUT = "timeout"
    UNREACHABLE = "unreachable"
    """The source's own stack, an ICMP error or a TCP reset refused every query."""
    UNASKED = "unasked"
    """There was nothing that could be asked."""


class Resolved(Struct, frozen=True):
    """How a lookup in DNS ended."""

    ending: Ending
    candidate: str | None = None
    """The name that was answered."""
    decided_by: tuple[int, ...] = ()
    """Numbers of the queries whose answers libc goes by."""
    error: str | None = None
    """What a program gets from getaddrinfo(3) where this was all: `EAI_AGAIN`, `EAI_NONAME`, `EAI_NODATA`."""


class LookupPlan(Struct, frozen=True):
    """What to look up, by which rules, and where to watch meanwhile."""

    wanted: Wanted
    source: Party
    setup: ResolverSetup
    hosts: tuple[HostsLine, ...] = ()
    """The lines of /etc/hosts that answer before DNS is asked."""
    hosts_if_denied: tuple[HostsLine, ...] = ()
    """Those that answer where DNS was asked first and said no (an order such as `dns files`)."""
    hosts_if_failed: tuple[HostsLine, ...] = ()
    """Those that answer where DNS was asked first and could not be reached."""
    asks: bool = True
    """Whether DNS is asked at all."""
    candidates: tuple[str, ...] = ()
    """The names that may be asked for, in order: with and without the search domains."""
    points: tuple[CapturePoint, ...] = ()
    neighbours: tuple[str, ...] = ()
    """Addresses whose ARP or ND belongs to this lookup: the servers', and the gateways' on the way to them."""
    reverse: tuple[str, ...] = ()
    """Addresses whose name is asked for as well, as ping does, where one of them is the answer."""
