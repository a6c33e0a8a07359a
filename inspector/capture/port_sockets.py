"""Open TCP connections and send UDP datagrams from inside the source's own stack, and hear what comes of them.

1. Each probe has a socket and a port for itself, bound before anything listens: the taps' filter knows the ports.
2. A connection is closed as soon as it has been watched for WATCH_NS: whether the peer resets or ends what it has just
   accepted. It is closed by FIN, after what the peer said was read: a service sees a client that came and went, and
   nothing else (an RST would be an error to it). Our side keeps the address pair for the kernel's TIME-WAIT of 60 s.
3. Nothing is sent over a connection. A datagram carries our mark (see `inspector.wire.craft.payload`).
4. What the source's stack refuses is a value (`Failed`), in the kernel's words.
"""

import errno
import os
import select
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from msgspec import Struct

from inspector.capture.socket_errors import ask_for_errors, error_words
from inspector.capture.stamps import CONTROL_LIMIT, ask_for_stamps, stamp_of
from inspector.model.question import Plan, Protocol
from inspector.model.recording import Answered, Failed, Sent
from inspector.wire import craft

WATCH_NS = 50_000_000
"""How long a connection is watched after it was accepted."""
REFUSED = "TCP RST"
RESET, CLOSED = "reset", "closed"
"""What a peer does to a connection that it has just accepted."""

_V6 = 6
_TRIES = 20
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _IP_PMTUDISC_DO, _IPV6_DONTFRAG = 10, 23, 2, 62
"""linux/in.h, linux/in6.h"""
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, errno.ECONNREFUSED})
"""A connection over a loopback may be refused before connect(2) returns."""
_BROKEN = frozenset({errno.ECONNRESET, errno.EPIPE})
_DATAGRAM_LIMIT = 65_536


class _Probe(Struct):
    """One socket, and where it stands."""

    sequence: int
    sock: socket.socket
    at_ns: int = 0
    accepted_ns: int = 0
    watched_until_ns: int = 0
    """On the clock that only goes forward; 0 while nothing was accepted."""


def port_sockets(plan: Plan) -> list[socket.socket]:
    """Open a bound socket for each probe, in the calling thread's namespace."""
    made: list[socket.socket] = []
    try:
        made.extend(_bound(plan) for _ in range(plan.question.count))
    except BaseException:
        for each in made:
            each.close()
        raise
    return made


def _bound(plan: Plan) -> socket.socket:
    kind = socket.SOCK_STREAM if plan.question.protocol is Protocol.TCP else socket.SOCK_DGRAM
    family = socket.AF_INET6 if plan.family == _V6 else socket.AF_INET
    own = (plan.question.source_address or "").partition("%")[0]
    where = (own, 0, 0, _scope(plan)) if plan.family == _V6 else (own, 0)
    for _ in range(_TRIES):
        sock = socket.socket(family, kind)
        sock.settimeout(0)
        try:
            if plan.family == _V6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(where)
        except BaseException:
            sock.close()
            raise
        # A socket that asks its own port over a loopback would meet itself (RFC 9293, 3.5: simultaneous open).
        if sock.getsockname()[1] != plan.question.port:
            return sock
        sock.close()
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _scope(plan: Plan) -> int:
    return plan.destination.scope.ifindex if plan.destination.scope else 0


class PortSockets:
    """The probes of one plan. Owns the sockets it is made with, one for each."""

    def __init__(
        self,
        socks: Sequence[socket.socket],
        plan: Plan,
        *,
        token: bytes,
        clock: Callable[[], int],
        now_ns: Callable[[], int],
    ) -> None:
        """Prepare the sockets as the question asks. `clock` tells the time since the epoch, `now_ns` only goes on."""
        self._plan = plan
        self._token = token
        self._clock = clock
        self._now_ns = now_ns
        self._probes = {number: _Probe(number, sock) for number, sock in enumerate(socks, start=1)}
        self._by_descriptor = {each.sock.fileno(): each for each in self._probes.values()}
        self.ports = tuple(int(sock.getsockname()[1]) for sock in socks)
        self._ready: list[Answered] = []
        self._epoll = select.epoll()
        try:
            for sock in socks:
                self._prepare(sock)
        except BaseException:
            self.close()
            raise

    def fileno(self) -> int:
        """Let selectors wait for all of them at once."""
        return self._epoll.fileno()

    def close(self) -> None:
        """Close whatever is still open."""
        self._epoll.close()
        for each in self._probes.values():
            each.sock.close()

    def send(self, sequence: int) -> Sent | Failed:
        """Begin one probe."""
        probe = self._probes[sequence]
        probe.at_ns = self._clock()
        try:
            number = self._start(probe)
        except OSError as error:
            number = error.errno or errno.EIO
        if number not in (_UNDER_WAY if self._is_tcp else {0}):
            self._done(probe)
            return Failed(sequence=sequence, at_ns=probe.at_ns, errno=number, why=os.strerror(number))
        if number == errno.ECONNREFUSED:
            self._ready.append(self._finish(probe, REFUSED))
        else:
            self._epoll.register(probe.sock, select.EPOLLOUT if self._is_tcp else select.EPOLLIN)
        return Sent(sequence=sequence, at_ns=probe.at_ns)

    def due_ns(self) -> int | None:
        """When `receive` has something to say even if nothing comes in."""
        if self._ready:
            return self._now_ns()
        return min((each.watched_until_ns for each in self._watched()), default=None)

    def receive(self) -> Iterator[Answered]:
        """Hand out what has been settled: one answer per probe."""
        for descriptor, _ in self._epoll.poll(0):
            probe = self._by_descriptor[descriptor]
            if not self._is_tcp:
                self._hear(probe)
            elif probe.watched_until_ns:
                self._watch(probe)
            else:
                self._connected(probe)
        for probe in self._watched():
            if probe.watched_until_ns <= self._now_ns():
                self._ready.append(self._finish(probe, "reply"))
        ready, self._ready = self._ready, []
        yield from ready

    def rest(self) -> Iterator[Answered]:
        """Hand out what was accepted and is still watched; the run ends."""
        yield from self.receive()
        for probe in self._watched():
            yield self._finish(probe, "reply")

    @property
    def _is_tcp(self) -> bool:
        return self._plan.question.protocol is Protocol.TCP

    def _watched(self) -> list[_Probe]:
        return [each for each in self._probes.values() if each.watched_until_ns and each.sock.fileno() >= 0]

    def _prepare(self, sock: socket.socket) -> None:
        question, six = self._plan.question, self._plan.family == _V6
        ask_for_errors(sock)
        if question.ttl is not None:
            level, option = (
                (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS) if six else (socket.IPPROTO_IP, socket.IP_TTL)
            )
            sock.setsockopt(level, option, question.ttl)
        if self._is_tcp:
            return
        ask_for_stamps(sock)
        if question.dont_fragment:
            level, option = (socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER) if six else (socket.IPPROTO_IP, _IP_MTU_DISCOVER)
            sock.setsockopt(level, option, _IP_PMTUDISC_DO)
            if six:
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_DONTFRAG, 1)

    def _start(self, probe: _Probe) -> int:
        question = self._plan.question
        place = (self._plan.destination.address or "", question.port or 0)
        number = probe.sock.connect_ex((*place, 0, _scope(self._plan)) if self._plan.family == _V6 else place)
        if number == 0 and not self._is_tcp:
            probe.sock.send(craft.payload(self._token, probe.sequence, question.size))
        return number

    def _connected(self, probe: _Probe) -> None:
        """Take the outcome of connect(2) (see there: EINPROGRESS)."""
        at_ns = self._clock()
        number = probe.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number == 0 and _has_peer(probe.sock):
            probe.accepted_ns, probe.watched_until_ns = at_ns, self._now_ns() + WATCH_NS
            self._epoll.modify(probe.sock, select.EPOLLIN)
            return
        if number in _BROKEN:
            # A connection that was never accepted is refused, not broken (tcp_reset, net/ipv4/tcp_input.c).
            self._ready.append(self._finish(probe, "reply", then=RESET, at_ns=at_ns))
            return
        words = error_words(probe.sock, self._plan.family)
        if number or words:
            refused = REFUSED if number == errno.ECONNREFUSED else os.strerror(number)
            self._ready.append(self._finish(probe, words or refused, at_ns=at_ns))

    def _watch(self, probe: _Probe) -> None:
        """Read what the peer says, to the end; it is not kept."""
        try:
            while probe.sock.recv(_DATAGRAM_LIMIT):
                pass
        except BlockingIOError:
            return
        except OSError:
            self._ready.append(self._finish(probe, "reply", then=RESET))
        else:
            self._ready.append(self._finish(probe, "reply", then=CLOSED))

    def _hear(self, probe: _Probe) -> None:
        """Take a datagram of the peer's, or the ICMP error that came instead."""
        for _ in range(2):
            try:
                _, control, _, _ = probe.sock.recvmsg(_DATAGRAM_LIMIT, CONTROL_LIMIT)
            except BlockingIOError:
                break
            except OSError:
                # The pending error is taken with this; what it was about is in the error queue.
                continue
            self._ready.append(self._finish(probe, "reply", at_ns=stamp_of(control)))
            return
        if words := error_words(probe.sock, self._plan.family):
            self._ready.append(self._finish(probe, words))

    def _finish(self, probe: _Probe, answer: str, *, then: str = "", at_ns: int | None = None) -> Answered:
        answered_ns = probe.accepted_ns or at_ns or self._clock()
        self._done(probe)
        return Answered(probe.sequence, probe.at_ns, answered_ns, answer, then)

    def _done(self, probe: _Probe) -> None:
        """Stop waiting; a datagram's socket stays until the run ends: a second answer is not to meet a closed port."""
        if self._is_tcp:
            self._by_descriptor.pop(probe.sock.fileno(), None)
            # An epoll forgets a descriptor when it is closed (epoll(7)).
            probe.sock.close()
        else:
            # One that failed to be sent was never registered.
            with suppress(OSError):
                self._epoll.unregister(probe.sock)


def _has_peer(sock: socket.socket) -> bool:
    """Whether a connection is up: an error may be queued while one is still being made."""
    try:
        sock.getpeername()
    except OSError:
        return False
    return True
