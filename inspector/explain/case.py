"""Everything a sentence or a finding may stand on."""

import shlex

from msgspec import Struct

from inspector.model.complaint import Complaint
from inspector.model.names import NameReport
from inspector.model.neighbours import DiscoveryStop, NeighbourFrame
from inspector.model.path import Path
from inspector.model.recording import Recording
from inspector.model.report import Rule, Translation, Verdict
from inspector.model.topology import HOST, Container, Endpoint, Topology


class Case(Struct, frozen=True):
    """One recording, its paths and its verdict; `floods` and `resolutions` come from the correlator."""

    recording: Recording
    paths: tuple[Path, ...]
    verdict: Verdict
    resolutions: tuple[tuple[str, str | None, str], ...] = ()
    """(address asked for, MAC that answered or None, capture point) of each ARP or ND question."""
    floods: tuple[str, ...] = ()
    """Capture points beside the way that the first request was copied to."""
    talk: tuple[NeighbourFrame, ...] = ()
    """What was overheard of ARP or ND about the trace's addresses."""
    names: NameReport | None = None
    """What came of looking the destination's name up, where it was looked up."""
    complaints: tuple[Complaint, ...] = ()
    """ICMP errors about the probes, also those that never came home."""
    translations: tuple[Translation, ...] = ()
    """What connection tracking rewrote of the trace."""
    discovery_stops: tuple[DiscoveryStop, ...] = ()
    """Rules that dropped what IPv6 asked or answered about a MAC address."""
    accepted_by_legacy: Rule | None = None
    """A rule of the other packet filter's that accepts what one of nf_tables dropped."""

    @property
    def topology(self) -> Topology:
        """The world as it was surveyed."""
        return self.recording.topology

    @property
    def source(self) -> Container | None:
        """The container that asked; None for the host."""
        return self.topology.container(self.recording.plan.source.container or "")

    @property
    def destination(self) -> Container | None:
        """The container that was asked; None for the host and for addresses of nobody we know."""
        return self.topology.container(self.recording.plan.destination.container or "")

    @property
    def forwarding(self) -> tuple[str, str | None]:
        """The setting that lets the host route this trace's family, and its value."""
        name = "net.ipv4.ip_forward" if self.recording.plan.family == 4 else "net.ipv6.conf.all.forwarding"  # noqa: PLR2004
        host = self.topology.sandbox(HOST)
        return name, next((each.value for each in (host.settings if host else ()) if each.name == name), None)

    @property
    def command(self) -> str:
        """The command line that speaks to the engine, for what is to be typed."""
        return shlex.quote(self.topology.engine.command)

    def endpoints(self, container: Container | None) -> tuple[Endpoint, ...]:
        """Return the endpoints of the stack the container uses, its own or a shared one."""
        if container and container.shares_with:
            container = self.topology.container(container.shares_with)
        return container.endpoints if container else ()
