"""What is asked, and what will be done to answer it."""

from enum import StrEnum

from msgspec import Struct

from inspector.model.prediction import Prediction
from inspector.model.topology import LinkKey, SandboxId
from inspector.model.tunnel import Passage


class Protocol(StrEnum):
    """What a probe is made of."""

    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"


class Heading(StrEnum):
    """Which way a frame passed an interface, seen from the sandbox that owns it."""

    IN = "in"
    OUT = "out"


LIMITS = {"count": (1, 1000), "size": (0, 65_507), "ttl": (1, 255)}
"""Least and most that a question may ask for; of `size` what fits in one packet: 65535 - 20 - 8 (RFC 791, RFC 792)."""
DEFAULT_SIZE = 56
"""As `ping` has it."""
PORTS = (1, 65_535)
"""Least and greatest port that can be asked (RFC 9293, 3.1; RFC 768)."""
MOST_CONNECTIONS = 100
"""Most TCP or UDP probes of one trace: each has a socket and a port of the source's for itself."""
TIME_LIMITS_S = {"timeout_s": (0.01, 60), "interval_s": (0.01, 60)}


class Question(Struct, frozen=True):
    """Who asks whom, and how. The words are the user's; nothing is resolved yet."""

    source: str
    destination: str
    protocol: Protocol = Protocol.ICMP
    port: int | None = None
    """Of the destination; None for ICMP."""
    count: int = 3
    timeout_s: float = 1.0
    interval_s: float | None = None
    """None: the next probe leaves when the answer is in, at least 10 ms after the one before."""
    size: int = DEFAULT_SIZE
    """Bytes after the ICMP header, as `ping -s` counts them, or after the UDP header."""
    dont_fragment: bool = False
    ttl: int | None = None
    family: int | None = None
    """4 or 6; None lets the addresses decide, 4 first."""
    source_address: str | None = None
    passive: bool = False
    rule_trace: bool = True
    """Have the kernel tell which firewall rules the probes meet; `passive` leaves that out, too."""
    look_up: bool = True
    """False: take a container's address from the engine, and ask nobody about its name."""
    names_only: bool = False
    """Look the destination's name up, and leave it at that."""
    types: tuple[str, ...] = ("A", "AAAA")
    """What is asked about the name."""
    every: bool = False
    """Ask every mechanism, server and search domain, also where libc would stop."""
    lookup_timeout_s: float | None = None
    """Longest wait for one answer about a name; None is what the source's resolv.conf says."""


class CapturePoint(Struct, frozen=True):
    """One interface in one sandbox. Written `SANDBOX/INTERFACE`."""

    link: LinkKey
    interface: str
    promiscuous: bool = False
    """Ask the kernel for frames to other stations, through our socket only."""
    role: str = ""
    """What it is to the networks: `port 1 of docker0`, `network mynet`."""

    @property
    def sandbox(self) -> SandboxId:
        """The network stack it is in."""
        return self.link.sandbox

    def __str__(self) -> str:
        """Write it as the contract does."""
        return f"{self.link.sandbox}/{self.interface}"


class Step(Struct, frozen=True):
    """One expected sighting: this point, in this direction."""

    point: CapturePoint
    heading: Heading
    routed: bool = False
    """The packet is routed (not switched) on its way to this step: TTL minus one, new MACs."""


class PathKind(StrEnum):
    """How the packet would travel, by routes and bridges alone."""

    SWITCHED = "switched"
    ROUTED = "routed"
    FROM_HOST = "from-host"
    TO_HOST = "to-host"
    OUTSIDE = "outside"
    SIBLINGS = "siblings"
    """From one macvlan or ipvlan link to another on the same parent."""
    PAST_HOST = "past-host"
    """By a macvlan or ipvlan link onto the network of its parent: the host's stack has no part in it."""
    TUNNELLED = "tunnelled"
    """Through a VXLAN tunnel to another node."""
    LOOPBACK = "loopback"
    NO_ROUTE = "no-route"


class Party(Struct, frozen=True):
    """One end of the question: a sandbox of ours, or only an address."""

    label: str
    sandbox: SandboxId | None
    address: str | None
    container: str | None = None
    scope: LinkKey | None = None
    """The source's interface that a link-local address is on (RFC 4007, 6); such an address means nothing without."""


class Resolution(Struct, frozen=True):
    """Which address was taken for the destination, and on whose word."""

    name: str
    mechanism: str
    address: str | None
    engine_addresses: tuple[str, ...] = ()
    """Of the engine's container of that name, where the source got the address from somebody else."""


class Carriage(StrEnum):
    """What carried a probe from a published port to the container, as far as the wire told."""

    UNSEEN = "unseen"
    TRANSLATED = "translated"
    """A rule rewrote its destination (DNAT)."""
    PROXY = "proxy"
    """The engine's userland proxy took the connection, and opened a second one."""


class Publication(Struct, frozen=True):
    """A published port that the probes ask for, and the way from the host to whoever is behind it."""

    container: str
    sandbox: SandboxId | None
    address: str
    """Of the container."""
    port: int
    """Of the container."""
    request: tuple[Step, ...] = ()
    reply: tuple[Step, ...] = ()
    carriage: Carriage = Carriage.UNSEEN


class Plan(Struct, frozen=True):
    """What to watch, what to send, and what routes and bridges let us expect. Never an observation."""

    question: Question
    source: Party
    destination: Party
    resolution: Resolution
    kind: PathKind
    family: int
    request: tuple[Step, ...] = ()
    reply: tuple[Step, ...] = ()
    beyond: tuple[Step, ...] = ()
    """Where the request would go on if `barrier` were no longer so; nothing is expected there, and nothing watched."""
    barrier: str = ""
    """What ends the request's way before its destination: `host/veth7 is down`."""
    points: tuple[CapturePoint, ...] = ()
    """Every point to capture at: those of the steps, and the bystander ports of the bridges on the way."""
    neighbours: tuple[str, ...] = ()
    """Addresses whose ARP or ND belongs to this trace: both ends and the gateways between."""
    passage: Passage | None = None
    """The tunnel that the request leaves this node by."""
    publication: Publication | None = None
    """Where the destination is a port that the host publishes for a container."""
    obstacle: str | None = None
    """Why nothing can be sent at all; then there is nothing to capture either."""
    prediction: Prediction | None = None
    """How it should end; None where nothing is sent."""

    @property
    def answering(self) -> SandboxId | None:
        """The network stack that would answer, where it is known: over a loopback, the source's."""
        if self.publication is not None and self.destination.container == self.publication.container:
            return self.publication.sandbox
        return self.source.sandbox if self.kind is PathKind.LOOPBACK else self.destination.sandbox

    @property
    def answering_port(self) -> int | None:
        """The port of that stack: another than was asked for, where a published one was carried on."""
        if self.publication is not None and self.destination.container == self.publication.container:
            return self.publication.port
        return self.question.port
