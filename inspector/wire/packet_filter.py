"""Compile a filter in pcap-filter(7) syntax for a packet socket: by libpcap, through scapy."""

import struct

from inspector.errors import UsageError
from inspector.model.text import safe
from inspector.wire import scapy_door

ETHERNET = 1
"""DLT_EN10MB; loopback frames have an Ethernet header, too."""
_INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter (linux/filter.h)"""
_RETURN = 0x06
"""BPF_RET | BPF_K"""


def keep_all(snapshot_length: int) -> bytes:
    """Return the program that refuses no frame and keeps so many bytes of each."""
    return _INSTRUCTION.pack(_RETURN, 0, 0, snapshot_length)


def compile_filter(expression: str, snapshot_length: int) -> bytes:
    """Return the packed program that keeps so many bytes of each frame that the expression means.

    Raises UsageError where it means none, or where libpcap is not there.
    """
    scapy_door.prepare()
    from scapy.arch.common import compile_filter as compiled_by_libpcap
    from scapy.error import Scapy_Exception

    try:
        program = compiled_by_libpcap(expression, linktype=ETHERNET)
    except ImportError as error:
        raise UsageError("filters are compiled by libpcap, which is not here", "install libpcap0.8") from error
    except (Scapy_Exception, ValueError) as error:
        raise UsageError(f"{safe(expression)!r} is no filter: {_reason(error)}", "see pcap-filter(7)") from error
    found = (program.bf_insns[number] for number in range(program.bf_len))
    return b"".join(_instruction(each.code, each.jt, each.jf, each.k, snapshot_length) for each in found)


def _instruction(code: int, jt: int, jf: int, k: int, snapshot_length: int) -> bytes:
    return _INSTRUCTION.pack(code, jt, jf, snapshot_length if code == _RETURN and k else k)


def _reason(error: Exception) -> str:
    """Take libpcap's words out of scapy's."""
    _, _, words = str(error).rpartition(" (")
    return safe(words.removesuffix(")")) if words else safe(str(error))
