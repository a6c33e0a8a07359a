"""Probes leave through the source's own stack, and only their own answers count."""

import errno
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from lab import Lab
from msgspec.structs import replace

from inspector import netns
from inspector.capture.injector import EchoSocket, icmp_socket
from inspector.model.question import Party, PathKind, Plan, Question, Resolution
from inspector.model.recording import Answered, Failed, Sent
from inspector.model.topology import LinkKey, SandboxId
from inspector.plan.filters import answer_program
from inspector.wire import craft

pytestmark = pytest.mark.kernel

TOKEN, IDENTIFIER = bytes(range(16)), 0x4321


def plan_to(destination: str, source: str | None = "10.99.0.2", **asked: object) -> Plan:
    family = 6 if ":" in destination else 4
    question = replace(Question(source="a", destination=destination, timeout_s=0.3), **asked)  # type: ignore[arg-type]
    return Plan(
        question=question,
        source=Party(label="a", sandbox=SandboxId("a"), address=source),
        destination=Party(label="b", sandbox=SandboxId("b"), address=destination),
        resolution=Resolution(name="b", mechanism="literal", address=destination),
        kind=PathKind.SWITCHED,
        family=family,
    )


@contextmanager
def echoes(world: Lab, plan: Plan) -> Iterator[EchoSocket]:
    sock = netns.enter(world.fds["a"], lambda: icmp_socket(plan.family))
    program = answer_program(plan, IDENTIFIER)
    with closing(
        EchoSocket(sock, plan, token=TOKEN, identifier=IDENTIFIER, program=program, clock=time.time_ns)
    ) as made:
        yield made


def answers(echo: EchoSocket, wait_s: float = 1.0) -> list[Answered]:
    found: list[Answered] = []
    limit = time.monotonic() + wait_s
    while not found and (left := limit - time.monotonic()) > 0:
        select.select([echo], [], [], left)
        found.extend(echo.receive())
    return found


@pytest.mark.parametrize(("destination", "source"), [("10.99.0.3", "10.99.0.2"), ("fd99::3", "fd99::2")])
@pytest.mark.parametrize("size", [0, 10, 56, 4000])
def test_a_probe_is_answered(world: Lab, destination: str, source: str, size: int) -> None:
    with echoes(world, plan_to(destination, source, size=size)) as echo:
        before = time.time_ns()
        sent = echo.send(1)
        assert isinstance(sent, Sent)
        (answer,) = answers(echo)
    assert (answer.sequence, answer.at_ns, answer.answer) == (1, sent.at_ns, "reply")
    assert before <= sent.at_ns < answer.answered_ns <= time.time_ns()


@pytest.fixture
def link_local(world: Lab) -> Iterator[Lab]:
    """Give both ends a link-local address that needs no second of waiting (RFC 4862, 5.4)."""
    for place in "ab":
        world.ip(place, f"addr add fe80::{place}/64 dev eth0 nodad")
    yield world
    for place in "ab":
        world.ip(place, f"addr del fe80::{place}/64 dev eth0")


def test_a_link_local_address_is_reached_by_its_interface(link_local: Lab) -> None:
    plan = plan_to("fe80::b", "fe80::a", source_address="fe80::a%eth0")
    scope = LinkKey(SandboxId("a"), link_local.index("a", "eth0"))
    with echoes(link_local, replace(plan, destination=replace(plan.destination, scope=scope))) as echo:
        assert isinstance(echo.send(1), Sent)
        assert [each.answer for each in answers(echo)] == ["reply"]


def test_it_answers_itself_over_loopback(world: Lab) -> None:
    with echoes(world, plan_to("127.0.0.1", None)) as echo:
        echo.send(1)
        assert [each.answer for each in answers(echo)] == ["reply"]


def test_no_route_is_a_failure_in_the_kernels_words(world: Lab) -> None:
    with echoes(world, plan_to("fd11::1", "fd99::2")) as echo:
        failed = echo.send(1)
    assert isinstance(failed, Failed)
    assert (failed.errno, failed.why) == (101, "Network is unreachable")


def test_too_long_for_the_link_with_df_is_a_failure(world: Lab) -> None:
    with echoes(world, plan_to("10.99.0.3", size=3000, dont_fragment=True)) as echo:
        failed = echo.send(1)
        assert isinstance(failed, Failed)
        assert failed.why == "Message too long"
        assert answers(echo, 0.05) == []
    with echoes(world, plan_to("10.99.0.3", size=1472, dont_fragment=True)) as echo:
        assert isinstance(echo.send(1), Sent)
        assert [each.answer for each in answers(echo)] == ["reply"]


def test_an_unanswered_neighbour_is_told_by_the_error_queue_and_does_not_stop_the_next(world: Lab) -> None:
    with echoes(world, plan_to("10.99.0.77")) as echo:
        assert isinstance(echo.send(1), Sent)
        (answer,) = answers(echo, 5)
        assert answer.answer == "Destination Host Unreachable"
        assert isinstance(echo.send(2), Sent | Failed)


def test_an_error_of_a_router_is_an_answer(world: Lab) -> None:
    with echoes(world, plan_to("192.0.2.1")) as echo:
        assert isinstance(echo.send(1), Sent)
        (answer,) = answers(echo)
    assert answer.answer == "Destination Net Unreachable"


def test_a_ttl_that_runs_out_is_an_answer(world: Lab) -> None:
    world.ip("s", "route add 192.0.2.0/24 via 10.99.0.3")
    netns.enter(world.fds["s"], lambda: Path("/proc/sys/net/ipv4/ip_forward").write_text("1"))
    try:
        with echoes(world, plan_to("192.0.2.1", ttl=1)) as echo:
            echo.send(1)
            (answer,) = answers(echo)
    finally:
        world.ip("s", "route del 192.0.2.0/24")
    assert answer.answer == "Time to live exceeded"


def test_a_source_address_is_used_or_refused(world: Lab) -> None:
    with echoes(world, plan_to("10.99.0.3", source_address="10.99.0.2")) as echo:
        echo.send(1)
        assert answers(echo)
    foreign = plan_to("10.99.0.3", source_address="10.1.2.3")
    with pytest.raises(OSError, match="Cannot assign"), echoes(world, foreign):
        pytest.fail("nothing to send from")


@pytest.mark.parametrize(
    ("token", "identifier", "sequence"), [(bytes(16), IDENTIFIER, 1), (TOKEN, 0x1111, 1), (TOKEN, IDENTIFIER, 2)]
)
def test_a_forged_reply_is_not_an_answer(world: Lab, token: bytes, identifier: int, sequence: int) -> None:
    with echoes(world, plan_to("10.99.0.99")) as echo:
        echo.send(1)
        forged = struct.pack("!BBHHH", 0, 0, 0, identifier, sequence) + craft.payload(token, sequence, 56)
        forged = forged[:2] + checksum(forged) + forged[4:]
        with netns.enter(world.fds["b"], lambda: icmp_socket(4)) as sock:
            sock.sendto(forged, ("10.99.0.2", 0))
        assert answers(echo, 0.1) == []


def test_each_probe_is_answered_once(world: Lab) -> None:
    with echoes(world, plan_to("10.99.0.99")) as echo:
        echo.send(1)
        reply = struct.pack("!BBHHH", 0, 0, 0, IDENTIFIER, 1) + craft.payload(TOKEN, 1, 56)
        reply = reply[:2] + checksum(reply) + reply[4:]
        with netns.enter(world.fds["b"], lambda: icmp_socket(4)) as sock:
            sock.sendto(reply, ("10.99.0.2", 0))
            sock.sendto(reply, ("10.99.0.2", 0))
        assert len(answers(echo)) == 1
        assert answers(echo, 0.05) == []


def test_the_socket_is_in_the_source_namespace(world: Lab) -> None:
    with netns.enter(world.fds["a"], lambda: icmp_socket(6)) as sock:
        sock.bind(("fd99::2", 0))
        assert sock.getsockname()[0] == "fd99::2", "an address that no other namespace has"
        assert sock.type == socket.SOCK_RAW


def checksum(message: bytes) -> bytes:
    total = sum(struct.unpack(f"!{len(message) // 2}H", message))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)


@pytest.mark.parametrize(("destination", "source"), [("10.99.0.3", "10.99.0.2"), ("fd99::3", "fd99::2")])
def test_a_stack_that_knows_the_way_too_narrow_says_what_it_carries(world: Lab, destination: str, source: str) -> None:
    route = f"{destination} dev eth0 mtu 1300"
    ip = "-6 route" if ":" in destination else "route"
    world.ip("a", f"{ip} add {route}")
    try:
        with echoes(world, plan_to(destination, source, size=1400, dont_fragment=True)) as echo:
            refused = echo.send(1)
    finally:
        world.ip("a", f"{ip} del {route}")
    assert isinstance(refused, Failed)
    assert (refused.errno, refused.mtu) == (errno.EMSGSIZE, 1300)
