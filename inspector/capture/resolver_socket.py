"""Ask one server from inside the source's own stack, over UDP or TCP, as its libc would.

1. The socket is an ordinary connected one: queries pass the source's routes, translations and firewall, and an ICMP
   port unreachable comes back as ECONNREFUSED (udp(7)).
2. Over TCP each message has its length in front (RFC 1035, 4.2.2).
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator

from msgspec import Struct

from inspector.capture.stamps import CONTROL_LIMIT, ask_for_stamps, stamp_of
from inspector.model.dns import PORT, Transport

_DATAGRAM_LIMIT = 65_535
_LENGTH = struct.Struct("!H")
_UNDER_WAY = frozenset({errno.EINPROGRESS, errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOTCONN})


class Came(Struct, frozen=True):
    """What came back on the socket: a message, or an error in the kernel's numbers."""

    at_ns: int
    message: bytes = b""
    errno: int = 0


class ResolverSocket:
    """A connection to one server. Owns the socket it is made with."""

    def __init__(self, sock: socket.socket, server: str, transport: Transport, clock: Callable[[], int]) -> None:
        """Connect; what goes wrong is told by `receive`. `clock` gives nanoseconds since the epoch."""
        self._sock = sock
        self._transport = transport
        self._clock = clock
        self._waiting: list[bytes] = []
        self._buffer = b""
        self._errors: list[int] = []
        ask_for_stamps(sock)
        number = sock.connect_ex(_target(server, sock.family))
        if number and number not in _UNDER_WAY:
            self._errors.append(number)

    def fileno(self) -> int:
        """Let selectors wait for answers."""
        return self._sock.fileno()

    @property
    def source_port(self) -> int:
        """The port asked from; 0 where there is none yet."""
        return int(self._sock.getsockname()[1])

    @property
    def has_more_to_send(self) -> bool:
        """Whether it should be told when it can be written to: a TCP connection that is not up yet."""
        return bool(self._waiting) and not self._errors

    def take_error(self) -> int:
        """Return the errno of an ICMP error that came meanwhile, or 0: the next `send` would fail with it otherwise."""
        return self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if self._transport is Transport.UDP else 0

    def close(self) -> None:
        """Stop asking."""
        self._sock.close()

    def send(self, message: bytes) -> int:
        """Send a query; return the errno of a stack that refuses, else 0."""
        if self._errors:
            return self._errors.pop()
        if self._transport is Transport.TCP:
            self._waiting.append(_LENGTH.pack(len(message)) + message)
            return self.flush()
        try:
            self._sock.send(message)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def flush(self) -> int:
        """Send what a connection that was not up yet held back; return an errno, or 0."""
        while self._waiting:
            try:
                sent = self._sock.send(self._waiting[0])
            except OSError as error:
                return 0 if error.errno in _UNDER_WAY else error.errno or errno.EIO
            self._waiting[0] = self._waiting[0][sent:]
            if not self._waiting[0]:
                del self._waiting[0]
        return 0

    def receive(self) -> Iterator[Came]:
        """Hand out what is there, errors included, without waiting for more."""
        while True:
            try:
                data, control, _, _ = self._sock.recvmsg(_DATAGRAM_LIMIT, CONTROL_LIMIT)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno == errno.ENOTCONN:
                    return
                yield Came(self._clock(), errno=error.errno or errno.EIO)
                return
            at_ns = stamp_of(control) or self._clock()
            if self._transport is Transport.UDP:
                yield Came(at_ns, message=data)
            elif data:
                self._buffer += data
                yield from self._whole(at_ns)
            else:
                yield Came(at_ns, errno=errno.ECONNRESET)
                return

    def _whole(self, at_ns: int) -> Iterator[Came]:
        while len(self._buffer) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._buffer)[0]
            if len(self._buffer) < end:
                return
            yield Came(at_ns, message=self._buffer[_LENGTH.size : end])
            self._buffer = self._buffer[end:]


def resolver_socket(server: str, transport: Transport) -> socket.socket:
    """Open a socket that can reach the server's family, in the calling thread's namespace."""
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    kind = socket.SOCK_STREAM if transport is Transport.TCP else socket.SOCK_DGRAM
    sock = socket.socket(family, kind)
    sock.settimeout(0)
    return sock


def _target(server: str, family: int) -> tuple[str, int] | tuple[str, int, int, int]:
    address, _, scope = server.partition("%")
    if family == socket.AF_INET:
        return address, PORT
    return address, PORT, 0, int(scope) if scope.isdecimal() else 0


def words(number: int) -> str:
    """Say an errno as the kernel does."""
    return os.strerror(number)
