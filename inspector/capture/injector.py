"""Send echo requests from inside the source's own stack, and hear what comes back.

1. The socket is an ordinary raw ICMP socket: its packets pass the source's routes, neighbour cache and firewall.
2. An answer counts only if identifier, sequence and token are those of a probe of ours: a raw socket hears all ICMP of
   its namespace. An ICMP error may quote too little to hold the token (RFC 792 asks for 8 bytes behind the IP header);
   then as much of it as was quoted has to match.
3. What the source's stack refuses is a value (`Failed`), in the kernel's words.
"""

import errno
import os
import socket
import struct
from collections.abc import Callable, Iterator

from inspector.capture.socket_errors import ask_for_errors, local_mtu, words_of
from inspector.capture.stamps import CONTROL_LIMIT, ask_for_stamps, stamp_of
from inspector.capture.syscalls import attach_filter
from inspector.model.question import Plan
from inspector.model.recording import Answered, Failed, Sent
from inspector.wire import craft

_V6 = 6
_IP_MTU_DISCOVER, _IP_PMTUDISC_DO = 10, 2
"""linux/in.h"""
_IPV6_MTU_DISCOVER, _IPV6_DONTFRAG = 23, 62
"""linux/in6.h"""
_ECHO = struct.Struct("!BBHHH")
"""type, code, checksum, identifier, sequence (RFC 792; RFC 4443, 4.1)"""
_ECHO_REQUEST, _ECHO_REPLY = {4: 8, 6: 128}, {4: 0, 6: 129}
_DATAGRAM_LIMIT = 65536

Message = tuple[bytes, list[tuple[int, int, bytes]]]
"""Data and control messages, as recvmsg(2) gives them."""


def icmp_socket(family: int) -> socket.socket:
    """Open a raw ICMP socket in the calling thread's namespace."""
    if family == _V6:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    else:
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.settimeout(0)
    return sock


class EchoSocket:
    """The probes of one plan: sent, and matched with their answers. Owns the socket it is made with."""

    def __init__(
        self,
        sock: socket.socket,
        plan: Plan,
        *,
        token: bytes,
        identifier: int,
        program: bytes,
        clock: Callable[[], int],
    ) -> None:
        """Prepare the socket as the question asks; `clock` gives nanoseconds since the epoch.

        `program` is packed classic BPF that accepts the answers.
        """
        self._sock = sock
        self._question = plan.question
        self._family = plan.family
        self._source = plan.source.address or ("::" if plan.family == _V6 else "0.0.0.0")  # noqa: S104 - no bind
        self._destination = plan.destination.address or ""
        scope = plan.destination.scope.ifindex if plan.destination.scope else 0
        # sockaddr_in6 takes the interface of a link-local address (RFC 3493, 3.3); sockaddr_in has no place for one.
        self._place = (0, 0, scope) if plan.family == _V6 else (0,)
        self._token = token
        self._identifier = identifier
        self._clock = clock
        self._sent: dict[int, int] = {}
        self._held: list[Message] = []
        try:
            attach_filter(sock, program)
            self._prepare()
            # The first one loads scapy's layers, which takes longer than some probes may.
            self._crafted(1)
        except BaseException:
            sock.close()
            raise

    def fileno(self) -> int:
        """Let selectors wait for answers; an ICMP error shows as readable, too."""
        return self._sock.fileno()

    def close(self) -> None:
        """Stop sending and listening."""
        self._sock.close()

    def send(self, sequence: int) -> Sent | Failed:
        """Send one probe."""
        probe = self._crafted(sequence)
        # A socket with IP_RECVERR reports an earlier probe's error on the next call, and would not send.
        self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        at_ns = self._clock()
        try:
            self._sock.sendto(probe, (self._destination, *self._place))
        except OSError as error:
            mtu = self._mtu_told() if error.errno == errno.EMSGSIZE else None
            why = os.strerror(error.errno or 0)
            return Failed(sequence=sequence, at_ns=at_ns, errno=error.errno or 0, why=why, mtu=mtu)
        self._sent[sequence] = at_ns
        return Sent(sequence=sequence, at_ns=at_ns)

    def due_ns(self) -> int | None:
        """Have nothing to say before something comes in."""
        return None

    def rest(self) -> Iterator[Answered]:
        """Hand out what came last; the run ends."""
        return self.receive()

    def receive(self) -> Iterator[Answered]:
        """Hand out the answers that are in, errors included; one answer per probe."""
        for flags, understand in ((socket.MSG_ERRQUEUE, self._error), (0, self._reply)):
            while (message := self._next(flags)) is not None:
                data, control = message
                answer = understand(data, control)
                if answer is not None:
                    del self._sent[answer.sequence]
                    yield answer

    def _crafted(self, sequence: int) -> bytes:
        return craft.echo_request(
            family=self._family,
            source=self._source,
            destination=self._destination,
            identifier=self._identifier,
            sequence=sequence,
            payload=craft.payload(self._token, sequence, self._question.size),
        )

    def _prepare(self) -> None:
        ask_for_stamps(self._sock)
        ask_for_errors(self._sock)
        question = self._question
        if self._family == _V6:
            if question.ttl is not None:
                self._sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, question.ttl)
            if question.dont_fragment:
                self._sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, _IP_PMTUDISC_DO)
                self._sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)
        else:
            if question.ttl is not None:
                self._sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, question.ttl)
            if question.dont_fragment:
                self._sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _IP_PMTUDISC_DO)
        if question.source_address is not None:
            self._sock.bind((question.source_address.partition("%")[0], *self._place))

    def _next(self, flags: int) -> Message | None:
        """Take the next message: errors that were read before their turn come first."""
        return self._held.pop(0) if flags and self._held else self._message(flags)

    def _mtu_told(self) -> int | None:
        """Return what the way carries: EMSGSIZE comes with an error of local origin that says it (ip(7))."""
        told = None
        while (message := self._message(socket.MSG_ERRQUEUE)) is not None:
            local = local_mtu(message[1], self._family)
            if local is None:
                self._held.append(message)
            told = told if local is None else local
        return told

    def _message(self, flags: int) -> Message | None:
        """Take the next message, or None where there is none; a pending error of the socket is not a message."""
        for _ in range(2):
            try:
                data, control, _, _ = self._sock.recvmsg(_DATAGRAM_LIMIT, CONTROL_LIMIT, flags)
            except BlockingIOError:
                return None
            except OSError as error:
                if error.errno == errno.EBADF:
                    raise
                continue
            return data, control
        return None

    def _reply(self, data: bytes, control: list[tuple[int, int, bytes]]) -> Answered | None:
        start = (data[0] & 0x0F) * 4 if self._family != _V6 and data else 0
        sequence = self._ours(data[start:], _ECHO_REPLY[self._family], whole=True)
        return None if sequence is None else self._answered(sequence, control, "reply")

    def _error(self, data: bytes, control: list[tuple[int, int, bytes]]) -> Answered | None:
        sequence = self._ours(data, _ECHO_REQUEST[self._family], whole=False)
        words = words_of(control, self._family)
        return None if sequence is None or words is None else self._answered(sequence, control, words)

    def _ours(self, message: bytes, kind: int, *, whole: bool) -> int | None:
        """Return the sequence of the probe this message answers or quotes, if it is one we wait for."""
        if len(message) < _ECHO.size:
            return None
        seen, _, _, identifier, sequence = _ECHO.unpack_from(message)
        mark = craft.payload(self._token, sequence, self._question.size)[: craft.MARK_LENGTH]
        payload = message[_ECHO.size :][: len(mark)]
        marked = payload == mark if whole else mark.startswith(payload)
        expected = (seen, identifier) == (kind, self._identifier) and marked and sequence in self._sent
        return sequence if expected else None

    def _answered(self, sequence: int, control: list[tuple[int, int, bytes]], answer: str) -> Answered:
        at_ns = stamp_of(control) or self._clock()
        return Answered(sequence=sequence, at_ns=self._sent[sequence], answered_ns=at_ns, answer=answer)
