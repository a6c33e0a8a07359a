"""What was seen and done: the seam between looking and thinking."""

from msgspec import Struct, field

from inspector.model.conntrack import ConntrackRecord
from inspector.model.lookup import LookupPlan, QueryOutcome
from inspector.model.question import CapturePoint, Heading, Plan, Protocol
from inspector.model.routing import RoutingRecord
from inspector.model.rules import FirewallRecord, KernelDrop
from inspector.model.topology import BlindSpot, FdbEntry, Neighbour, SandboxId, Topology

UNRESOLVED = frozenset({"incomplete", "failed"})
"""States of a neighbour that was asked for and has not answered (NUD_INCOMPLETE, NUD_FAILED in linux/neighbour.h)."""


class Vlan(Struct, frozen=True):
    """An 802.1Q tag that the kernel took out of the frame."""

    tci: int
    tpid: int = 0x8100


class Observation(Struct, frozen=True):
    """One frame, at one point, once."""

    point: int
    """Index into the plan's points."""
    at_ns: int
    """Nanoseconds since the epoch, CLOCK_REALTIME, stamped by the kernel."""
    heading: Heading
    packet_type: int
    """sll_pkttype of the frame: 0 host, 1 broadcast, 2 multicast, 3 other host, 4 outgoing (linux/if_packet.h)."""
    frame: bytes
    wire_length: int
    """Bytes on the wire; larger than the frame kept where a snapshot length cut it."""
    vlan: Vlan | None = None
    checksum_ready: bool = True
    """False: the checksum was left to hardware that a veth does not have (TP_STATUS_CSUMNOTREADY)."""


class NotSent(Struct, frozen=True):
    """A probe that never left, and why."""

    sequence: int
    why: str


class Failed(Struct, frozen=True):
    """A probe that the source's own stack refused, in the kernel's words."""

    sequence: int
    at_ns: int
    errno: int
    why: str
    mtu: int | None = None
    """What the stack said its way carries, where it refused the probe as too large (EMSGSIZE)."""


class Sent(Struct, frozen=True):
    """A probe without an answer (so far)."""

    sequence: int
    at_ns: int


class Answered(Struct, frozen=True):
    """A probe whose answer reached the socket that sent it."""

    sequence: int
    at_ns: int
    answered_ns: int
    answer: str
    """`reply` (a connection that was accepted, too), `TCP RST`, or the ICMP error in words."""
    then: str = ""
    """What the peer did to a connection as soon as it was accepted: `reset` or `closed`; empty where nothing."""


Probe = NotSent | Failed | Sent | Answered


class TapCount(Struct, frozen=True):
    """What the kernel counted at one capture point."""

    point: int
    received: int
    dropped: int


class Listener(Struct, frozen=True):
    """A socket that takes connections (TCP) or datagrams of anybody (UDP)."""

    sandbox: SandboxId
    address: str
    """`0.0.0.0` and `::` are all of its network stack's."""
    port: int
    protocol: Protocol


class Aftermath(Struct, frozen=True):
    """What the bridges, the neighbour caches and the sockets' tables held when the probes were done."""

    fdb: tuple[FdbEntry, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    listeners: tuple[Listener, ...] = ()
    """Sockets of the probes' protocol in the stacks that could answer."""
    listened: tuple[SandboxId, ...] = ()
    """The stacks whose sockets were read, whether any listened or not."""


class Lookup(Struct, frozen=True):
    """What was asked and seen while a name was looked up."""

    plan: LookupPlan
    queries: tuple[QueryOutcome, ...] = ()
    observations: tuple[Observation, ...] = ()
    """Their `point` is an index into the points of this plan."""
    counts: tuple[TapCount, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    side_effects: tuple[str, ...] = ()
    interrupted: bool = False
    departed: tuple[str, ...] = ()

    @property
    def cut_short(self) -> bool:
        """Whether it ended before its time."""
        return self.interrupted or bool(self.departed)


class Recording(Struct, frozen=True):
    """Everything a report is made from."""

    topology: Topology
    plan: Plan
    token: bytes
    """Random bytes in each probe's payload: they make a frame ours, whatever was rewritten."""
    probes: tuple[Probe, ...] = ()
    observations: tuple[Observation, ...] = ()
    counts: tuple[TapCount, ...] = ()
    blind_spots: tuple[BlindSpot, ...] = ()
    aftermath: Aftermath = field(default_factory=Aftermath)
    side_effects: tuple[str, ...] = ()
    interrupted: bool = False
    departed: tuple[str, ...] = ()
    """Containers that went away while we looked."""
    lookup: Lookup | None = None
    """How the source looked the destination's name up, where it did."""
    firewall: FirewallRecord = field(default_factory=FirewallRecord)
    """What the rules of the stacks on the way did."""
    routing: RoutingRecord = field(default_factory=RoutingRecord)
    """What the stacks on the way said about routing."""
    drops: tuple[KernelDrop, ...] = ()
    """Packets of a probe's family and length that the kernel dropped meanwhile, each with the reason it gave."""
    drops_since_ns: int = 0
    """When the kernel was first asked for them (since the epoch); 0 means from the start."""
    source_ports: tuple[int, ...] = ()
    """The port that the n-th probe leaves its sender from; none for ICMP."""
    conntrack: ConntrackRecord = field(default_factory=ConntrackRecord)
    """What the stacks on the way remember of the probes' flows."""

    def unresolved(self) -> tuple[tuple[str, CapturePoint], ...]:
        """Return the addresses of the trace that a neighbour cache had no MAC for in the end, and where it asks."""
        points = {point.link: point for point in self.plan.points}
        return tuple(
            (each.address, points[each.link])
            for each in self.aftermath.neighbours
            if each.state in UNRESOLVED and each.address in self.plan.neighbours and each.link in points
        )

    def point(self, index: int) -> CapturePoint:
        """Return the capture point with this index."""
        return self.plan.points[index]
