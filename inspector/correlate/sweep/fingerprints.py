"""What stays the same about a packet past routers and NAT, as bytes that are cheap to take. Pure.

Left out: TTL, checksums, addresses, ports. In: length, identification and fragment bits (IPv4) or flow label and length
(IPv6), what follows the ports, and the start of the payload. A cut by the snapshot length must be alike everywhere.
"""

from inspector.correlate.sweep.frame import Frame
from inspector.correlate.sweep.keys import TCP
from inspector.wire.ip import FAMILY_V4

FIRST_BYTES = 32
"""Of the payload."""
_HEAD = {FAMILY_V4: 8, 6: 7}
"""Where the TTL stands in the packet."""


def of_segment(frame: Frame) -> bytes:
    """Return the fingerprint of a packet with ports (TCP: sequence numbers to window; else the length)."""
    data, packet, segment = frame.data, frame.packet, frame.segment
    head = data[packet + 2 : packet + _HEAD[frame.version]]
    if frame.protocol == TCP:
        options, fixed = segment + 18, segment + 16
        numbers = data[segment + 4 : fixed if fixed <= frame.kept else frame.kept]  # noqa: FURB136 - twice as quick
        return head + numbers + data[options : _end(frame, options)]
    payload = segment + 8
    return head + data[segment + 4 : segment + 6] + data[payload : _end(frame, payload)]


def of_message(frame: Frame) -> bytes:
    """Return the fingerprint of an ICMP message: type and code, and what follows the checksum."""
    data, packet, message = frame.data, frame.packet, frame.segment
    head = data[packet + 2 : packet + _HEAD[frame.version]]
    return head + data[message : message + 2] + data[message + 4 : _end(frame, message + 4)]


def _end(frame: Frame, start: int) -> int:
    """Return where the first bytes from there end; what stands behind the packet is another's."""
    end = start + FIRST_BYTES
    return end if end <= frame.kept else frame.kept  # noqa: FURB136 - twice as quick as min()
