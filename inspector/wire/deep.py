"""Say everything about a frame, layer by layer, for the reader who asks for it (`-v`)."""

from inspector.model.text import safe
from inspector.wire import scapy_door

LIMIT = 1600
"""Bytes dissected: a 64 kB segment, normal on a veth, can keep scapy busy for over a second."""


def dissect(frame: bytes) -> str:
    """Return the layers of an Ethernet frame, one field per line; never raises, and no line can move a cursor."""
    scapy_door.prepare()
    from scapy.layers import inet, inet6  # noqa: F401 - heavy; they teach Ether what may follow
    from scapy.layers.l2 import Ether

    try:
        shown = Ether(frame[:LIMIT]).show(dump=True)
    except Exception as error:  # noqa: BLE001 - hostile bytes raise anything from struct.error to RecursionError
        shown = f"undecoded ({type(error).__name__}): {frame[:64].hex()}"
    lines = [safe(line.rstrip()) for line in str(shown).split("\n") if line.strip()]
    if len(frame) > LIMIT:
        lines.append(f"(the first {LIMIT} of {len(frame)} bytes)")
    return "\n".join(lines)
