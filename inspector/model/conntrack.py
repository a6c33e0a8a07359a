"""What the kernel's connection tracking remembers of a packet's flow, and where it sends it on."""

from msgspec import Struct

from inspector.model.place import place
from inspector.model.question import Protocol
from inspector.model.topology import SandboxId

_COUNTERPART = {8: 0, 0: 8, 128: 129, 129: 128}
"""Echo request and reply (RFC 792; RFC 4443, 4)."""


class Flow(Struct, frozen=True):
    """What connection tracking tells packets apart by, in one direction."""

    source: str
    destination: str
    source_port: int | None = None
    """None of an echo."""
    destination_port: int | None = None
    echo: int | None = None
    """Identifier of an echo; None of TCP and UDP."""
    type: int | None = None
    """ICMP type of an echo."""

    @property
    def reversed(self) -> "Flow":
        """The flow of the answers."""
        kind = None if self.type is None else _COUNTERPART.get(self.type, self.type)
        return Flow(self.destination, self.source, self.destination_port, self.source_port, self.echo, kind)

    @property
    def ends(self) -> tuple[str, str]:
        """Both ends, as a hop writes them: `172.17.0.2:40001` and `172.17.0.1:8080`."""
        return place(self.source, self.source_port), place(self.destination, self.destination_port)

    def __str__(self) -> str:
        """Write both: `172.17.0.2:40001 > 172.17.0.1:8080`."""
        return " > ".join(self.ends)


class ConntrackEntry(Struct, frozen=True):
    """One line of a network stack's table, as `conntrack -L` shows it."""

    sandbox: SandboxId
    protocol: Protocol
    original: Flow
    """As the first packet came."""
    reply: Flow
    """As answers are expected: reversed, it is how packets go on."""
    status: tuple[str, ...] = ()
    """`seen-reply`, `assured`, `snat`, `dnat`: of enum ip_conntrack_status, those that say something here."""
    timeout_s: int | None = None
    """For how long it stays without another packet."""

    @property
    def onward(self) -> Flow:
        """How a packet that came as `original` leaves."""
        return self.reply.reversed

    @property
    def translates(self) -> bool:
        """Whether it rewrites addresses or ports."""
        return self.onward != self.original


class ConntrackRecord(Struct, frozen=True):
    """What was read of connection tracking when the probes were done."""

    own: tuple[ConntrackEntry, ...] = ()
    """Of the probes, in each stack on the way, and of the connections that a proxy opened for them."""
    standing: tuple[ConntrackEntry, ...] = ()
    """Anybody's flows of datagrams to the published port that was asked for, on the host."""
