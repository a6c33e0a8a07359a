"""What a capture file says by itself: who talked to whom where, what was asked and answered. No topology, no verdict.

Times are nanoseconds since the epoch, durations nanoseconds. An endpoint's `port` is None where it has none.
"""

from enum import StrEnum

from msgspec import Struct


class Made(Struct, frozen=True):
    """What the file says about itself."""

    form: str
    """`pcap` or `pcapng`."""
    application: str | None = None
    system: str | None = None


class Counted(Struct, frozen=True):
    """Frames and the bytes they had on the wire."""

    frames: int = 0
    bytes: int = 0


class Span(Struct, frozen=True):
    """The first and the last moment."""

    first_ns: int
    last_ns: int

    @property
    def duration_ns(self) -> int:
        """How long it was."""
        return self.last_ns - self.first_ns


class Interface(Struct, frozen=True):
    """One interface of the file, and what was captured there."""

    name: str
    link: str
    """Of its frames: `Ethernet`, `Linux cooked v2`..."""
    seen: Counted
    span: Span | None
    """None where nothing was captured."""
    received: int | None = None
    """Frames, as the statistics of the file say it; None where it has none. Likewise `dropped`."""
    dropped: int | None = None
    cut: int = 0
    """Frames of which only the start was kept; `longest_kept` bytes at most."""
    longest_kept: int = 0
    tick_ns: int = 1
    """Of the time stamps; 0 where a tick is shorter than a nanosecond."""
    filtered: bool = False
    """Whether the file says that a filter chose the frames."""
    unread: int = 0
    """Frames of a link type, or with headers, that are not read."""


class Endpoint(Struct, frozen=True, order=True):
    """One end of a conversation."""

    address: str
    port: int | None = None

    def __str__(self) -> str:
        """Write it as `ss` and browsers do."""
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"


class Ends(Struct, frozen=True):
    """Who sent to whom."""

    source: Endpoint
    destination: Endpoint


class SeenAt(Struct, frozen=True):
    """How many frames of a conversation one interface saw, in each direction."""

    interface: str
    there: int
    back: int


class Conversation(Struct, frozen=True):
    """What two endpoints sent each other, counted at the interface that saw most of it."""

    protocol: str
    client: Endpoint
    """Who was seen to send first."""
    server: Endpoint
    there: Counted
    back: Counted
    span: Span
    seen_at: tuple[SeenAt, ...]
    repeated: int = 0
    """TCP segments whose bytes had passed that interface before, in both directions: retransmissions."""
    late: int = 0
    """TCP segments that came after later ones, and whose bytes had not passed there before."""
    fragments: bool = False
    """Later fragments, which carry no ports."""


class Hand(StrEnum):
    """What the headers let one say about the way between two sightings."""

    SWITCHED = "switched"
    """TTL and MACs are the same."""
    ROUTED = "routed"
    """The TTL is smaller."""
    READDRESSED = "readdressed"
    """The TTL is the same, the MACs differ."""
    UNTOLD = "untold"
    """Without MACs in the file, an unchanged TTL says no more."""


class Times(Struct, frozen=True):
    """Of several durations; nanoseconds."""

    min: int
    avg: int
    max: int


class Sighting(Struct, frozen=True):
    """Where a packet was seen on its way, and what had changed since the place before."""

    interface: str
    heading: str | None
    """`in` or `out`, where the file tells it."""
    ttl: int
    since: Times | None = None
    """None at the first place."""
    hand: Hand | None = None
    source: Endpoint | None = None
    """Where the rest of the packet is the same, and this is another than before; likewise `destination`."""
    destination: Endpoint | None = None


class Way(Struct, frozen=True):
    """Where packets of one sender to one receiver were seen, in the order of time."""

    protocol: str
    source: str
    destination: str
    packets: int
    sightings: tuple[Sighting, ...]
    ended_early: bool = False
    """Others of the same pair were seen further on."""


class Echoes(Struct, frozen=True):
    """ICMP echo requests of one ping, matched with their answers at the interface that saw them first."""

    source: str
    destination: str
    identifier: int
    interface: str
    sent: int
    answered: int
    rtt: Times | None
    unanswered: tuple[int, ...]
    """Sequence numbers, the first ones."""
    origin: Ends | None = None
    """Where they are the same requests as those of another ping, rewritten on their way: its addresses."""


class DnsExchange(Struct, frozen=True):
    """A DNS question and its answer, at the interface that saw the question first."""

    name: str
    type: str
    client: Endpoint
    server: Endpoint
    transport: str
    interface: str
    at_ns: int
    asked: int
    """How often: more than once is a retransmission."""
    rcode: str | None
    """None where there is no answer in the file."""
    elapsed_ns: int | None
    answers: tuple[str, ...] = ()
    truncated: bool = False
    answered_by: Endpoint | None = None
    """Where it is another endpoint than the one that was asked."""
    refusal: str | None = None
    """What an ICMP error said in place of an answer."""
    seen_at: tuple[str, ...] = ()
    onward: bool = False
    """Asked while the same question of somebody else's waited: rewritten, or asked on by a server."""


class Complaint(Struct, frozen=True):
    """ICMP errors that say the same about packets of the same flow."""

    by: str
    to: str
    words: str
    protocol: str
    source: Endpoint
    destination: Endpoint
    """Of the packet that it is about."""
    count: int
    at_ns: int
    seen_at: tuple[str, ...] = ()


class Opening(StrEnum):
    """How a TCP connection began."""

    OPENED = "opened"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNSEEN = "unseen"
    """Its SYN is not in the file."""


class Connection(Struct, frozen=True):
    """One TCP connection, at the interface that saw its SYN first."""

    client: Endpoint
    server: Endpoint
    interface: str
    at_ns: int
    opening: Opening
    syns: int
    handshake_ns: int | None = None
    """From the SYN to its answer."""
    reset_by: Endpoint | None = None
    """Who sent an RST, where one was seen."""
    refusal: str | None = None
    """What an ICMP error said to its SYN."""
    repeated: int = 0
    origin: Ends | None = None
    """Where it is the same connection as another, its addresses rewritten on the way: those it had before."""


class Neighbour(Struct, frozen=True):
    """Who asked by ARP or ND for the MAC of an address, and who answered."""

    asker: str
    target: str
    interface: str
    asked: int
    macs: tuple[str, ...]
    """All that answered; more than one is a conflict."""
    elapsed_ns: int | None
    """From the first question to the first answer."""
    seen_at: tuple[str, ...] = ()


class Overlooked(Struct, frozen=True):
    """What tables that were full did not keep apart; nothing of it is lost in the counts of the interfaces."""

    flows: int = 0
    folded: Counted = Counted()
    """Their frames. Flows were too many, at one interface each: those idle for longest, or with the fewest frames."""
    others: tuple[str, ...] = ()
    """What else was too much, in words."""


class CaptureReport(Struct, frozen=True):
    """All that can be said of a capture file without a topology."""

    made: Made
    interfaces: tuple[Interface, ...]
    names: dict[str, tuple[str, ...]]
    """By address, from the file's own name records."""
    conversations: tuple[Conversation, ...]
    """The busiest first."""
    ways: tuple[Way, ...]
    echoes: tuple[Echoes, ...]
    exchanges: tuple[DnsExchange, ...]
    connections: tuple[Connection, ...]
    complaints: tuple[Complaint, ...]
    neighbours: tuple[Neighbour, ...]
    overlooked: Overlooked
    timeless: int = 0
    """Frames without a time stamp of their own."""
    backwards: int = 0
    """Frames stamped more than a second before one that stands ahead of them in the file."""
    troubles: tuple[str, ...] = ()
    """What was asked and not answered, refused, reset, sent again: in words, with counts."""
    well: tuple[str, ...] = ()
    """What was asked and answered, likewise."""
    untold: tuple[str, ...] = ()
    """What this file cannot say, and why; only what applies to it."""
    warnings: tuple[str, ...] = ()

    @property
    def seen(self) -> Counted:
        """All frames of the file."""
        return Counted(
            sum(each.seen.frames for each in self.interfaces), sum(each.seen.bytes for each in self.interfaces)
        )

    @property
    def span(self) -> Span | None:
        """From its first to its last frame; None where there is none."""
        spans = [each.span for each in self.interfaces if each.span]
        if not spans:
            return None
        return Span(min(each.first_ns for each in spans), max(each.last_ns for each in spans))
