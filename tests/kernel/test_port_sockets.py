"""Connections and datagrams leave through the source's own stack, and each way they can end is told from the others."""

import select
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial

import pytest
from lab import Lab
from msgspec.structs import replace

from inspector import netns
from inspector.capture.port_sockets import WATCH_NS
from inspector.capture.session import record
from inspector.correlate.correlation import correlate
from inspector.discover.listeners import read_listeners
from inspector.model.question import CapturePoint, Heading, Party, PathKind, Plan, Protocol, Question, Resolution, Step
from inspector.model.recording import Answered, Failed, Listener, NotSent, Recording, Sent
from inspector.model.report import Outcome
from inspector.model.topology import EngineIdentity, LinkKey, SandboxId, Topology
from inspector.plan.port_filter import port_program

pytestmark = pytest.mark.kernel

TOKEN = bytes(range(16))
A, B, HOST = SandboxId("a"), SandboxId("b"), SandboxId("s")
WAY = (("a", "eth0", "out"), ("s", "va", "in"), ("s", "br0", "in"), ("s", "vb", "out"), ("b", "eth0", "in"))
BOTH = pytest.mark.parametrize("address", ["10.99.0.3", "fd99::3"])
TURNED = {"in": Heading.OUT, "out": Heading.IN}
TOPOLOGY = Topology(engine=EngineIdentity(name="none", version="0"), sandboxes=(), networks=(), containers=())


def plan_to(world: Lab, address: str, port: int, protocol: Protocol = Protocol.TCP, **asked: object) -> Plan:
    places = [CapturePoint(LinkKey(SandboxId(p), world.index(p, n)), n, promiscuous=n == "br0") for p, n, _ in WAY]
    request = tuple(Step(point, Heading(way)) for point, (_, _, way) in zip(places, WAY, strict=True))
    reply = tuple(
        Step(point, Heading.IN if name == "br0" else TURNED[way])
        for point, (_, name, way) in zip(reversed(places), reversed(WAY), strict=True)
    )
    options = {"count": 1, "timeout_s": 0.5, **asked}
    question = replace(Question(source="a", destination="b", protocol=protocol, port=port), **options)  # type: ignore[arg-type]
    return Plan(
        question=question,
        source=Party(label="a", sandbox=A, address="fd99::2" if ":" in address else "10.99.0.2"),
        destination=Party(label="b", sandbox=B, address=address),
        resolution=Resolution(name="b", mechanism="address", address=address),
        kind=PathKind.SWITCHED,
        family=6 if ":" in address else 4,
        request=request,
        reply=reply,
        points=tuple(places),
        neighbours=(address,),
    )


def carried_out(world: Lab, plan: Plan, *, without: str | None = None) -> Recording:
    return record(
        TOPOLOGY,
        plan,
        {SandboxId(place): fd for place, fd in world.fds.items() if place != without},
        pidfds={},
        token=TOKEN,
        identifier=1,
        tap_program=partial(port_program, plan),
        answer_program=b"",
        finish=lambda recording: recording,
    )


@contextmanager
def serving(
    world: Lab,
    address: str,
    kind: int = socket.SOCK_STREAM,
    serve: Callable[[socket.socket], None] = lambda _: None,
    place: str = "b",
) -> Iterator[int]:
    """Have a socket listen in a namespace; yield its port. `serve` handles one connection or datagram after another."""

    def opened() -> socket.socket:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        sock.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            sock.listen()
        return sock

    sock = netns.enter(world.fds[place], opened)
    over, end = socket.socketpair()

    def work() -> None:
        while over not in (ready := select.select([sock, over], [], [])[0]):
            assert ready
            serve(sock)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield int(sock.getsockname()[1])
    finally:
        end.send(b"x")
        thread.join()
        for each in (sock, over, end):
            each.close()


def accept_and(work: Callable[[socket.socket], None]) -> Callable[[socket.socket], None]:
    def serve(listener: socket.socket) -> None:
        with closing(listener.accept()[0]) as connection:
            work(connection)

    return serve


def until_the_end(connection: socket.socket) -> None:
    while connection.recv(100):
        pass


def with_reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answered(recording: Recording) -> list[tuple[str, str]]:
    return [(each.answer, each.then) for each in recording.probes if isinstance(each, Answered)]


def ways(recording: Recording) -> dict[str, list[str]]:
    return {path.segment: [str(hop.point) for hop in path.seen] for path in correlate(recording).paths}


THERE = [f"{place}/{link}" for place, link, _ in WAY]


@BOTH
def test_a_connection_is_accepted_and_seen_everywhere(world: Lab, address: str) -> None:
    heard: list[bytes] = []

    def listen(connection: socket.socket) -> None:
        heard.append(connection.recv(100))

    with serving(world, address, serve=accept_and(listen)) as port:
        recording = carried_out(world, plan_to(world, address, port, count=3))
    assert answered(recording) == [("reply", "")] * 3
    assert ways(recording) == {"SYN": THERE, "SYN-ACK": THERE[::-1]}
    assert correlate(recording).verdict.summary == "3 of 3 accepted"
    assert heard == [b""] * 3, "the end of the connection, and no error: it was closed by FIN"
    assert len(set(recording.source_ports)) == 3


def test_the_time_there_and_back_is_that_of_the_handshake(world: Lab) -> None:
    with serving(world, "10.99.0.3", serve=accept_and(until_the_end)) as port:
        recording = carried_out(world, plan_to(world, "10.99.0.3", port))
    (probe,) = recording.probes
    assert isinstance(probe, Answered)
    assert 0 < probe.answered_ns - probe.at_ns < WATCH_NS


@BOTH
def test_a_closed_port_is_refused_by_the_stack_that_was_asked(world: Lab, address: str) -> None:
    recording = carried_out(world, plan_to(world, address, 9))
    assert answered(recording) == [("TCP RST", "")]
    assert ways(recording) == {"SYN": THERE, "RST": THERE[::-1]}
    verdict = correlate(recording).verdict
    assert verdict.outcome is Outcome.REJECTED
    assert verdict.summary.endswith("its own stack answered RST, first seen at b/eth0")


@pytest.mark.parametrize(("rule", "outcome"), [("drop", "dropped"), ("reject with tcp reset", "rejected")])
def test_a_rule_in_the_stack_that_was_asked(world: Lab, rule: str, outcome: str) -> None:
    with serving(world, "10.99.0.3", serve=accept_and(until_the_end)) as port, filtered(world, "b", "input", rule):
        recording = carried_out(world, plan_to(world, "10.99.0.3", port, timeout_s=0.1))
    assert correlate(recording).verdict.outcome == outcome
    assert answered(recording) == ([] if rule == "drop" else [("TCP RST", "")])


def test_a_rule_in_the_source_s_own_stack_leaves_no_frame(world: Lab) -> None:
    with filtered(world, "a", "output", "reject with icmp type port-unreachable"):
        recording = carried_out(world, plan_to(world, "10.99.0.3", 9))
    assert answered(recording) == [("Destination Port Unreachable", "")]
    assert ways(recording) == {"": []}
    assert "inside a itself" in correlate(recording).verdict.summary


@pytest.mark.parametrize("place", ["a", "b"])
def test_an_icmp_error_is_told_from_a_reset(world: Lab, place: str) -> None:
    hook = "output" if place == "a" else "input"
    with filtered(world, place, hook, "reject with icmp type admin-prohibited"):
        recording = carried_out(world, plan_to(world, "10.99.0.3", 9))
    (probe,) = recording.probes
    assert isinstance(probe, Answered)
    assert probe.answer == "Packet filtered"
    assert correlate(recording).verdict.outcome is Outcome.REJECTED


@contextmanager
def filtered(world: Lab, place: str, hook: str, rule: str) -> Iterator[None]:
    ruleset = f"table ip dn {{ chain c {{ type filter hook {hook} priority 0; meta l4proto tcp {rule}; }}; }}"
    words = ["ip", "netns", "exec", world.names[place], "nft"]
    subprocess.run([*words, ruleset], check=True)
    try:
        yield
    finally:
        subprocess.run([*words, "delete table ip dn"], check=True)


def test_accepted_and_reset(world: Lab) -> None:
    with serving(world, "10.99.0.3", serve=accept_and(with_reset)) as port:
        recording = carried_out(world, plan_to(world, "10.99.0.3", port))
    assert answered(recording) == [("reply", "reset")]
    assert ways(recording) == {"SYN": THERE, "SYN-ACK": THERE[::-1], "RST": THERE[::-1]}
    verdict = correlate(recording).verdict
    assert verdict.outcome is Outcome.REJECTED
    assert verdict.summary == f"b:{port} accepted the connection and reset it at once; the RST was first seen at b/eth0"


def test_accepted_and_closed(world: Lab) -> None:
    with serving(world, "10.99.0.3", serve=accept_and(lambda _: None)) as port:
        recording = carried_out(world, plan_to(world, "10.99.0.3", port))
    assert answered(recording) == [("reply", "closed")]
    assert correlate(recording).verdict.summary == "1 of 1 accepted; 1 closed by the peer at once"


def test_a_service_that_speaks_first_is_read_and_not_reset(world: Lab) -> None:
    heard: list[bytes] = []

    def greet(connection: socket.socket) -> None:
        connection.send(b"SSH-2.0-x\r\n" * 100)
        heard.append(connection.recv(100))

    with serving(world, "10.99.0.3", serve=accept_and(greet)) as port:
        recording = carried_out(world, plan_to(world, "10.99.0.3", port))
    assert answered(recording) == [("reply", "")]
    assert heard == [b""], "no error: it was closed by FIN"
    assert not any(b"SSH" in each.frame for each in recording.observations), "what is said is never kept"


@BOTH
def test_a_datagram_is_answered(world: Lab, address: str) -> None:
    def echo(sock: socket.socket) -> None:
        data, sender = sock.recvfrom(2000)
        sock.sendto(data, sender)

    with serving(world, address, socket.SOCK_DGRAM, echo) as port:
        recording = carried_out(world, plan_to(world, address, port, Protocol.UDP, count=2, size=30))
    assert answered(recording) == [("reply", "")] * 2
    paths = correlate(recording).paths
    assert [(path.direction, len(path.seen)) for path in paths] == [("request", 5), ("reply", 5)] * 2


@BOTH
def test_a_datagram_to_a_closed_port(world: Lab, address: str) -> None:
    recording = carried_out(world, plan_to(world, address, 9, Protocol.UDP))
    ((words, _),) = answered(recording)
    assert words in {"Destination Port Unreachable", "Destination unreachable: Port unreachable"}
    verdict = correlate(recording).verdict
    assert verdict.outcome is Outcome.REJECTED
    assert "its own stack answered" in verdict.summary


def test_a_datagram_that_nobody_answers(world: Lab) -> None:
    with serving(world, "10.99.0.3", socket.SOCK_DGRAM, lambda sock: sock.recv(100) and None) as port:
        recording = carried_out(world, plan_to(world, "10.99.0.3", port, Protocol.UDP, timeout_s=0.1))
    assert [type(each) for each in recording.probes] == [Sent]
    assert correlate(recording).verdict.outcome is Outcome.UNANSWERED


@pytest.mark.parametrize("protocol", [Protocol.TCP, Protocol.UDP])
def test_no_route_is_a_failure_in_the_kernels_words(world: Lab, protocol: Protocol) -> None:
    recording = carried_out(world, plan_to(world, "fd11::1", 9, protocol, timeout_s=9.0))
    (probe,) = recording.probes
    assert isinstance(probe, Failed)
    assert probe.why == "Network is unreachable"


def test_without_the_source_nothing_is_sent(world: Lab) -> None:
    recording = carried_out(world, plan_to(world, "10.99.0.3", 9), without="a")
    assert [type(each) for each in recording.probes] == [NotSent]
    assert recording.source_ports == ()


def test_what_is_sent_has_the_ttl_that_was_asked(world: Lab) -> None:
    recording = carried_out(world, plan_to(world, "10.99.0.3", 9, ttl=7))
    (request, _) = correlate(recording).paths
    assert {hop.ttl for hop in request.seen} == {7}


def test_nobody_there_is_silence(world: Lab) -> None:
    recording = carried_out(world, plan_to(world, "10.99.0.99", 9, count=2, timeout_s=0.1))
    assert [type(each) for each in recording.probes] == [Sent, Sent]


def test_what_listens_is_read_where_it_listens(world: Lab) -> None:
    fds = {SandboxId(place): fd for place, fd in world.fds.items()}
    with serving(world, "127.0.0.1") as near, serving(world, "::") as far:
        listeners, read = read_listeners(fds, (B, None, SandboxId("gone")), Protocol.TCP)
    assert read == (B,)
    assert set(listeners) >= {Listener(B, "127.0.0.1", near, Protocol.TCP), Listener(B, "::", far, Protocol.TCP)}
    with serving(world, "10.99.0.3", socket.SOCK_DGRAM) as port:
        listeners, _ = read_listeners(fds, (B,), Protocol.UDP)
    assert Listener(B, "10.99.0.3", port, Protocol.UDP) in listeners
    assert read_listeners(fds, (A,), Protocol.ICMP) == ((), ())
