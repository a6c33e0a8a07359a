"""Which packets are the probe's and its answers', as the kernel can match them."""

from msgspec import Struct

from inspector.wire.discovery import discovery
from inspector.wire.headers import read_packet

ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
"""Numbers of IP protocols (IANA, Assigned Internet Protocol Numbers)."""


class ProbeFlow(Struct, frozen=True):
    """The packets of one trace, by what no NAT on the way is expected to change in all places at once."""

    family: int
    """4 or 6."""
    protocol: int
    """1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6."""
    addresses: tuple[str, ...]
    """A packet has at least one of them, as source or destination."""
    identifiers: tuple[int, ...]
    """Of ICMP the echo identifier; of TCP and UDP the ports that are the probe's alone, as source or destination."""
    neighbours: tuple[str, ...] = ()
    """Neighbour discovery about these addresses is told of, too. IPv6 alone: ARP passes no rules of this family."""

    tunnel: int | None = None
    """The UDP port of a VXLAN tunnel that they may be carried by."""
    nodes: tuple[str, ...] = ()
    """The far ends of that tunnel."""

    @property
    def echo(self) -> bool:
        """Whether it is made of ICMP echoes."""
        return self.protocol in {ICMP, ICMPV6}

    def has(self, packet: bytes) -> bool:
        """Whether a packet, from its network header on, is the probe's, an answer, or an ICMP error for its ends.

        Somebody else may trace other packets in the same network stack.
        """
        if self.neighbours and discovery(packet, self.neighbours):
            return True
        read = read_packet(packet)
        if read is not None and read.udp and read.udp.destination_port == self.tunnel:
            return bool({read.ip.source, read.ip.destination} & set(self.nodes))
        if read is None or not {read.ip.source, read.ip.destination} & {
            each.partition("%")[0] for each in self.addresses
        }:
            return False
        if read.icmp is not None and read.icmp.error:
            return True
        ports = read.tcp or read.udp
        if self.echo or ports is None:
            return self.echo and read.icmp is not None and read.icmp.identifier in self.identifiers
        return bool({ports.source_port, ports.destination_port} & set(self.identifiers))
