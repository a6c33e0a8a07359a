"""Open a capture file of whichever form, as tcpdump, Wireshark, dumpcap and we ourselves write them."""

from typing import BinaryIO

from inspector.errors import MalformedInputError
from inspector.wire.captured import FramesFile
from inspector.wire.pcap_stream import MAGICS, PcapFile
from inspector.wire.pcapng_stream import PcapngFile

_SECTION = b"\n\r\r\n"
_OTHERS = (
    (b"\x1f\x8b", "it is compressed (gzip)", "decompress it first, or pipe it: gunzip -c FILE | dnetsniff explain -"),
    (b"\x28\xb5\x2f\xfd", "it is compressed (zstd)", "decompress it first"),
    (b"\x04\x22\x4d\x18", "it is compressed (lz4)", "decompress it first"),
    (b"\x34\xcd\xb2\xa1", "it is a pcap of a patched libpcap", "rewrite it by: editcap FILE OUT.pcapng"),
    (b"\xa1\xb2\xcd\x34", "it is a pcap of a patched libpcap", "rewrite it by: editcap FILE OUT.pcapng"),
    (b"snoop\0\0\0", "it is a snoop file", "rewrite it by: editcap FILE OUT.pcapng"),
)
"""How it starts, what it is, and the way out."""
_AHEAD = 8


def open_capture(stream: BinaryIO) -> FramesFile:
    """Look at the first bytes of a stream that blocks until there are some. Raises MalformedInputError."""
    ahead = b""
    while len(ahead) < _AHEAD and (more := stream.read(_AHEAD - len(ahead))):
        ahead += more
    if ahead.startswith(_SECTION):
        return PcapngFile(stream, ahead)
    if ahead[:4] in MAGICS:
        return PcapFile(stream, ahead)
    if not ahead:
        raise MalformedInputError("the file is empty")
    for start, what, hint in _OTHERS:
        if ahead.startswith(start):
            raise MalformedInputError(f"this capture is not read: {what}", hint)
    raise MalformedInputError("this is neither pcap nor pcapng")
