"""The few kernel calls on sockets that Python's own `socket` cannot make, or makes while everyone else waits.

`socket.setsockopt` keeps the interpreter lock; setting up a ring waits for an RCU grace period (8 ms or so), and eight
rings should wait for one together. Calls through ctypes give the lock back meanwhile.
"""

import ctypes
import fcntl
import os
import socket
import struct

from inspector.model.text import safe

SO_ATTACH_FILTER = 26
SO_DETACH_FILTER = 27
SO_LOCK_FILTER = 44
"""asm-generic/socket.h"""
SOL_PACKET = 263
"""linux/socket.h"""
_SOCKADDR_LL = struct.Struct("=HHiHBB8s")
"""linux/if_packet.h: sll_family, _protocol (big endian), _ifindex, _hatype, _pkttype, _halen, _addr"""
_SOCK_FILTER_LENGTH = 8
_SIOCGIFNAME, _NAME_LENGTH = 0x8910, 16
"""linux/sockios.h; IFNAMSIZ of linux/if.h"""
_IFREQ_INDEX = struct.Struct("=16si20x")
"""struct ifreq (linux/if.h): name, ifindex"""


class _Program(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""

    _fields_ = (("len", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def attach_filter(sock: socket.socket, program: bytes) -> None:
    """Attach a packed classic BPF program; frames that wait in the socket already are not judged again."""
    instructions = ctypes.create_string_buffer(program, len(program))
    head = _Program(len(program) // _SOCK_FILTER_LENGTH, ctypes.addressof(instructions))
    set_option(sock, socket.SOL_SOCKET, SO_ATTACH_FILTER, bytes(head))


def set_option(sock: socket.socket, level: int, option: int, value: bytes) -> None:
    """Do what `socket.setsockopt` does, without holding the interpreter lock."""
    _checked(_library().setsockopt(sock.fileno(), level, option, value, len(value)))


def bind_packet_socket(sock: socket.socket, ifindex: int, protocol: int) -> None:
    """Bind by interface index (names can change); protocol 0 chooses the interface without receiving anything yet."""
    address = _SOCKADDR_LL.pack(socket.AF_PACKET, socket.htons(protocol), ifindex, 0, 0, 0, b"")
    _checked(_library().bind(sock.fileno(), address, len(address)))


def bound_link(sock: socket.socket) -> tuple[str, int]:
    """Return what interface a packet socket is bound to, harmless and empty where it is gone, and its device type.

    `socket.getsockname` takes each name for UTF-8, and raises where a container calls its own otherwise.
    """
    address = ctypes.create_string_buffer(_SOCKADDR_LL.size)
    length = ctypes.c_uint(len(address))
    _checked(_library().getsockname(sock.fileno(), address, ctypes.byref(length)))
    _, _, ifindex, device_type, *_ = _SOCKADDR_LL.unpack(address.raw)
    asked = _IFREQ_INDEX.pack(b"", ifindex)
    try:
        name = fcntl.ioctl(sock.fileno(), _SIOCGIFNAME, asked)[:_NAME_LENGTH]
    except OSError:
        return "", device_type
    return safe(name.partition(b"\0")[0]), device_type


def _library() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
