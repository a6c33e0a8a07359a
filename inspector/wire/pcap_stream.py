"""Read a classic pcap file (draft-ietf-opsawg-pcap, 4 and 5), frame by frame, in memory that does not grow with it.

Both byte orders, time stamps in microseconds and in nanoseconds. Limits are those of `pcapng_reader`.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from inspector.errors import MalformedInputError
from inspector.model.sentence import say
from inspector.wire.captured import Described, FramesFile, Taken, Window
from inspector.wire.pcapng import SNAPSHOT_LENGTH

MAGICS = {
    b"\xd4\xc3\xb2\xa1": ("<", 1_000),
    b"\xa1\xb2\xc3\xd4": (">", 1_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
"""Byte order, and nanoseconds in a tick of the time stamps."""

_HEADER = 24
_RECORD = 16
_VERSION = 2
_LINK_TYPE = 0xFFFF
"""The bits above say whether frames end in a checksum of their own."""


class PcapFile(FramesFile):
    """A classic file: one interface, no names, no counters."""

    form = "pcap"

    def __init__(self, stream: BinaryIO, ahead: bytes) -> None:
        """Read its header; `ahead` was read of the stream before. Raises MalformedInputError."""
        super().__init__()
        self._window = Window(stream, ahead)
        data, _ = self._window.advance(0, _HEADER)
        if len(data) < _HEADER:
            raise MalformedInputError("malformed pcap: the file ends within its header")
        self._order, self._tick_ns = MAGICS[data[:4]]
        major, snap_length, link = struct.unpack_from(self._order + "H10xII", data, 4)
        if major != _VERSION:
            raise MalformedInputError(f"malformed pcap: version {major} of the format is not known")
        self.interfaces.append(
            Described(name="", link_type=link & _LINK_TYPE, snap_length=snap_length, tick_ns=self._tick_ns)
        )

    def frames(self) -> Iterator[Taken]:
        """Yield each frame. Raises MalformedInputError."""
        window, tick_ns = self._window, self._tick_ns
        record = struct.Struct(self._order + "IIII").unpack_from
        data, at = window.advance(_HEADER, _RECORD)
        size = len(data)
        while True:
            if size - at < _RECORD:
                data, at = window.advance(at, _RECORD)
                size = len(data)
                if size < _RECORD:
                    break
            seconds, fraction, kept, wire = record(data, at)
            if kept > SNAPSHOT_LENGTH:
                raise MalformedInputError(f"malformed pcap at byte {window.place(at)}: a frame of {kept} bytes")
            start = at + _RECORD
            if start + kept > size:
                data, at = window.advance(at, _RECORD + kept)
                size, start = len(data), at + _RECORD
                if start + kept > size:
                    break
            yield 0, seconds * 1_000_000_000 + fraction * tick_ns, data, start, kept, max(wire, kept), 0
            at = start + kept
        if size > at:
            byte = window.place(size)
            self.warnings.append(say("the last frame is cut off at byte {byte}; it is left out", byte=byte))
