"""Capture files for tests: written frame by frame, or rewritten from one form into the other."""

import io
import struct
from collections.abc import Collection, Iterable
from typing import Any

from inspector.model.capture import CaptureReport
from inspector.pipeline import review_capture
from inspector.wire import pcapng, scapy_door
from inspector.wire.capture_file import open_capture

scapy_door.prepare()

from scapy.layers.inet import IP  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402

SECTION = pcapng.section_block(pcapng.Section(application="test"))
MS = 1_000_000
A, B, ROUTER = "02:00:00:00:00:0a", "02:00:00:00:00:0b", "02:00:00:00:00:01"


def pcap(frames: Iterable[tuple[int, bytes]], *, link: int = 1, order: str = "<", nano: bool = True) -> bytes:
    """Write a classic file; times in nanoseconds."""
    magic, tick = (0xA1B23C4D, 1) if nano else (0xA1B2C3D4, 1_000)
    whole = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262_144, link)
    for at_ns, frame in frames:
        seconds, rest = divmod(at_ns, 1_000_000_000)
        whole += struct.pack(order + "IIII", seconds, rest // tick, len(frame), len(frame)) + frame
    return whole


def as_pcap(whole: bytes) -> bytes:
    """Rewrite any capture as a classic file."""
    taken = open_capture(io.BytesIO(whole)).frames()
    return pcap((at_ns, data[start : start + kept]) for _, at_ns, data, start, kept, _, _ in taken)


def pcapng_file(names: Iterable[str], frames: Iterable[tuple[int, int, bytes]], bridges: Collection[str] = ()) -> bytes:
    """Write frames (interface, nanoseconds, bytes) at Ethernet interfaces of these names, some of them bridges."""
    described = (pcapng.Interface(name, hardware="bridge" if name in bridges else None) for name in names)
    blocks = [SECTION, *map(pcapng.interface_block, described)]
    blocks += [pcapng.packet_block(pcapng.Packet(number, at_ns, frame, len(frame))) for number, at_ns, frame in frames]
    return b"".join(blocks)


def ip(source: str, destination: str, **fields: Any) -> Any:
    """Return an IP packet in a frame from A to B; `src_mac`, `dst_mac` and `id` may be others."""
    macs = {"src": fields.pop("src_mac", A), "dst": fields.pop("dst_mac", B)}
    return Ether(**macs) / IP(src=source, dst=destination, **{"id": 7, "flags": "DF", **fields})


def told(*frames: tuple[str, int, Any], bridges: Collection[str] = ()) -> CaptureReport:
    """Review frames: interface, nanoseconds, and what scapy made."""
    names = list(dict.fromkeys(name for name, _, _ in frames))
    taken = ((names.index(name), at_ns, bytes(frame)) for name, at_ns, frame in frames)
    return told_bytes(pcapng_file(names, taken, bridges))


def told_bytes(whole: bytes) -> CaptureReport:
    """Review a whole file."""
    return review_capture(io.BytesIO(whole))
