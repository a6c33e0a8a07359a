"""An ICMP echo request as a layer of scapy's, by itself: its own is among the IPv4 layers, which take 15 ms to load.

Import this module when probes are made and not before: it imports scapy.
"""

from inspector.wire import scapy_door

scapy_door.prepare_core()

from scapy.fields import ByteField, ShortField, XShortField  # noqa: E402 - behind its door
from scapy.packet import Packet  # noqa: E402
from scapy.utils import checksum  # noqa: E402

_CHECKSUM = slice(2, 4)


class EchoRequest(Packet):  # type: ignore[misc]  # scapy is not type-checked here
    """RFC 792, echo: type 8, code, checksum of all that follows, identifier, sequence number."""

    name = "ICMP echo request"
    fields_desc = (
        ByteField("type", 8),
        ByteField("code", 0),
        XShortField("chksum", 0),
        ShortField("id", 0),
        ShortField("seq", 0),
    )

    def post_build(self, pkt: bytes, pay: bytes) -> bytes:
        """Write the checksum (RFC 1071)."""
        whole = pkt + pay
        return whole[: _CHECKSUM.start] + int(checksum(whole)).to_bytes(2, "big") + whole[_CHECKSUM.stop :]
