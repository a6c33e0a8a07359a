"""A lookup is carried out: the queries leave by the source's own sockets, and what comes back is told apart."""

import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from lab import Lab
from msgspec import Struct, field

from inspector import netns
from inspector.capture.asking import look_up
from inspector.model.dns import Message, Transport
from inspector.model.lookup import Libc, LookupPlan, Query, Replied, ResolverSetup, Silent, Unsent, Wanted
from inspector.model.question import CapturePoint, Party
from inspector.model.recording import Lookup
from inspector.model.topology import LinkKey, SandboxId
from inspector.plan.bpf import pack
from inspector.plan.name_filter import name_program
from inspector.wire import dns, headers, scapy_door

scapy_door.prepare()

from scapy.layers.dns import DNS, DNSRR  # noqa: E402

pytestmark = pytest.mark.kernel

SERVER = "10.99.0.3"
PLACES = (("a", "lo"), ("a", "eth0"), ("s", "va"), ("s", "br0"))
Answer = Callable[[bytes], list[bytes]]


def answer(query: bytes, **changes: object) -> bytes:
    asked = DNS(query)
    return bytes(DNS(id=asked.id, qr=1, qd=asked.qd, an=DNSRR(rrname=asked.qd[0].qname, rdata="10.99.0.9"), **changes))


class Script(Struct):
    """Asks its queries at once, and waits for each until its time is over."""

    queries: list[Query]
    timeout_ns: int = 300_000_000
    then: list[Query] = field(default_factory=list)
    """Asked when the first answer is in."""
    heard: list[str] = field(default_factory=list)
    waiting: set[int] = field(default_factory=set)
    end_ns: int = 0

    @property
    def done(self) -> bool:
        return not self.queries and not self.waiting

    def due(self, now_ns: int) -> list[Query]:
        leaving, self.queries = self.queries, []
        if leaving:
            self.end_ns = now_ns + self.timeout_ns
            self.waiting |= {each.number for each in leaving}
        if now_ns >= self.end_ns:
            self.waiting.clear()
        return leaving

    def wake_ns(self) -> int | None:
        return self.end_ns if self.waiting or self.queries else None

    def answered(self, query: Query, message: Message, now_ns: int) -> None:
        self.settle(query, f"{message.rcode}{' TC' * message.truncated}")

    def refused(self, query: Query, errno: int, now_ns: int) -> None:
        self.settle(query, f"errno {errno}")

    def settle(self, query: Query, words: str) -> None:
        self.heard.append(words)
        self.waiting.discard(query.number)
        self.queries, self.then = self.then, []


def query(number: int = 1, kind: str = "A", *, server: str = SERVER, transport: Transport = Transport.UDP) -> Query:
    socket = 1 if transport is Transport.UDP else 2
    return Query(number, "tomcat02", kind, server, transport, identifier=0x1000 + number, socket=socket)


def carry_out(world: Lab, script: Script, interruption: int | None = None) -> Lookup:
    points = tuple(
        CapturePoint(LinkKey(SandboxId(place), world.index(place, link)), link, promiscuous=link == "br0")
        for place, link in PLACES
    )
    source = Party("tomcat01", SandboxId("a"), None)
    wanted = Wanted("tomcat02", ("A",), SandboxId("a"))
    return look_up(
        LookupPlan(wanted, source, ResolverSetup(Libc.GLIBC, "assumed"), points=points),
        script,
        {SandboxId(place): fd for place, fd in world.fds.items()},
        pidfds={},
        tap_program=pack(name_program(names=(b"\x08tomcat02\0",), ports=(53,), neighbours=(SERVER,))),
        finish=lambda lookup: lookup,
        interruption=interruption,
    )


@contextmanager
def udp_server(world: Lab, reply: Answer) -> Iterator[None]:
    """Answer each datagram with what `reply` makes of it; a datagram of ours ends it."""
    sock = netns.enter(world.fds["b"], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    sock.bind((SERVER, 53))

    def serve() -> None:
        while (came := sock.recvfrom(2048))[0] != b"end":
            for each in reply(came[0]):
                sock.sendto(each, came[1])

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        sock.sendto(b"end", (SERVER, 53))
        thread.join()
        sock.close()


@contextmanager
def tcp_server(world: Lab, pieces: Callable[[bytes], list[bytes]]) -> Iterator[None]:
    """Take one connection, and send the pieces made of its query one by one."""
    sock = netns.enter(world.fds["b"], lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((SERVER, 53))
    sock.listen()

    def serve() -> None:
        with sock.accept()[0] as peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces(peer.recv(2048)[2:]):
                peer.sendall(piece)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        sock.close()


def seen(lookup: Lookup) -> list[str]:
    """Write each DNS message as where it was seen and what it was."""
    words = []
    for each in lookup.observations:
        read = headers.read(each.frame)
        message = dns.read(read.udp.payload) if read and read.udp else None
        if message:
            words.append(f"{lookup.plan.points[each.point]} {each.heading} {'answer' if message.response else 'query'}")
    return words


def test_an_answer_is_matched_and_seen_at_every_point(world: Lab) -> None:
    with udp_server(world, lambda data: [answer(data)]):
        script = Script([query()])
        lookup = carry_out(world, script)
    (replied,) = lookup.queries
    assert isinstance(replied, Replied)
    assert replied.at_ns < replied.answered_ns
    message = dns.read(replied.message)
    assert message
    assert [each.data for each in message.answers] == ["10.99.0.9"]
    assert script.heard == ["NOERROR"]
    assert seen(lookup)[0] == "a/eth0 out query"
    assert set(seen(lookup)[1:3]) == {"s/va in query", "s/br0 in query"}, "these two share one time stamp"
    assert "a/eth0 in answer" in seen(lookup)
    assert lookup.side_effects == (
        "sent 1 DNS query from tomcat01 to 10.99.0.3",
        "what the stacks on the way learnt from it (neighbours, FDB, conntrack) is theirs, and ages out",
        "promiscuous mode on s/br0, ended with our sockets",
    )
    assert sum(each.dropped for each in lookup.counts) == 0


def test_two_questions_leave_by_one_socket(world: Lab) -> None:
    with udp_server(world, lambda data: [answer(data)]):
        lookup = carry_out(world, Script([query(1), query(2, "AAAA")]))
    assert len({each.source_port for each in lookup.queries}) == 1
    assert all(isinstance(each, Replied) for each in lookup.queries)


def test_each_server_is_asked_itself_where_the_rules_give_one_socket_to_all(world: Lab) -> None:
    with udp_server(world, lambda data: [answer(data)]):
        lookup = carry_out(world, Script([query(1), query(2, server="127.0.0.1")]))
    first, second = lookup.queries
    assert isinstance(first, Replied)
    assert isinstance(second, Unsent), "nobody listens on the source's own loopback"


def test_answers_to_other_questions_are_passed_over(world: Lab) -> None:
    def lies(data: bytes) -> list[bytes]:
        right = answer(data)
        other_id = bytes([right[0] ^ 1, *right[1:]])
        return [
            other_id,
            right.replace(b"tomcat02", b"tomcat03"),
            data,
            b"short",
            right.replace(b"tomcat02", b"TomCat02"),
        ]

    with udp_server(world, lies):
        lookup = carry_out(world, Script([query()]))
    (replied,) = lookup.queries
    assert isinstance(replied, Replied)
    assert b"TomCat02" in replied.message, "names are equal whatever their case"


def test_silence_is_told_with_how_long_it_lasted(world: Lab) -> None:
    with udp_server(world, lambda _data: []):
        lookup = carry_out(world, Script([query()], timeout_ns=50_000_000))
    (silent,) = lookup.queries
    assert isinstance(silent, Silent)
    # The time counts from when the query was due; opening its socket takes a little of it.
    assert 30_000_000 < silent.waited_ns < 1_000_000_000
    assert silent.source_port


def test_a_closed_port_is_the_kernels_refusal(world: Lab) -> None:
    script = Script([query()])
    lookup = carry_out(world, script)
    (refused,) = lookup.queries
    assert isinstance(refused, Unsent)
    assert (refused.why, script.heard) == ("Connection refused", ["errno 111"])


def test_no_route_is_the_kernels_refusal_too(world: Lab) -> None:
    lookup = carry_out(world, Script([query(server="fd77::53")]))
    (refused,) = lookup.queries
    assert isinstance(refused, Unsent)
    assert refused.why == "Network is unreachable"


@pytest.mark.parametrize("size", [1, 7, 2000])
def test_over_tcp_an_answer_may_come_in_pieces(world: Lab, size: int) -> None:
    def pieces(data: bytes) -> list[bytes]:
        whole = answer(data)
        stream = struct.pack("!H", len(whole)) + whole
        return [stream[at : at + size] for at in range(0, len(stream), size)]

    with tcp_server(world, pieces):
        lookup = carry_out(world, Script([query(transport=Transport.TCP)]))
    (replied,) = lookup.queries
    assert isinstance(replied, Replied)


def test_over_tcp_a_refusal_and_an_early_end_are_told(world: Lab) -> None:
    refused = carry_out(world, Script([query(transport=Transport.TCP)])).queries[0]
    assert isinstance(refused, Unsent)
    assert refused.why == "Connection refused"
    with tcp_server(world, lambda _data: [b"\0"]):
        ended = carry_out(world, Script([query(transport=Transport.TCP)])).queries[0]
    assert isinstance(ended, Unsent)
    assert ended.why == "Connection reset by peer"


def test_what_is_asked_next_may_depend_on_the_answer(world: Lab) -> None:
    with (
        udp_server(world, lambda data: [answer(data, tc=1)]),
        tcp_server(world, lambda data: [struct.pack("!H", len(answer(data))) + answer(data)]),
    ):
        script = Script([query()], then=[query(2, transport=Transport.TCP)])
        lookup = carry_out(world, script)
    assert script.heard == ["NOERROR TC", "NOERROR"]
    assert [each.query.transport for each in lookup.queries] == [Transport.UDP, Transport.TCP]


def test_an_interruption_ends_it_and_keeps_what_was_seen(world: Lab) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"x")
    try:
        lookup = carry_out(world, Script([query()]), interruption=reading)
    finally:
        os.close(reading)
        os.close(writing)
    assert lookup.interrupted
    assert lookup.cut_short
    assert lookup.queries == ()
