"""What is lost of a rule trace is told, and nothing is joined across it."""

import errno
import struct
from typing import Any

import pytest
from firewall_bytes import be32, message, nested
from topologies import planned, read

from inspector.capture import rule_trace
from inspector.capture.rule_trace import RuleTrace, RuleTraces, UntraceableError, open_rule_traces
from inspector.errors import DepartedError
from inspector.model.topology import SandboxId
from inspector.wire.nft_trace import TRACE
from inspector.wire.probe_flow import ICMP, ProbeFlow

FLOW = ProbeFlow(4, ICMP, ("10.0.0.2",), (0x1234,))
PACKET = bytes.fromhex("4500001c00004000400100000a0000020a000003") + bytes.fromhex("0800000012340001")


def event(handle: int, code: int, *, packet: bool) -> bytes:
    values = [(1, b"filter\0"), (2, b"FORWARD\0"), (3, struct.pack(">Q", handle)), (4, be32(3)), (6, be32(9))]
    values.append((5, nested([(1, be32(code))])))
    return message(TRACE, 2, values + ([(8, PACKET[:20]), (9, PACKET[20:])] if packet else []))


class Told:
    """A socket that has these things to say."""

    def __init__(self, *said: bytes | int) -> None:
        self.said = list(said)

    def recv(self, size: int) -> bytes:
        if not self.said:
            raise BlockingIOError
        first = self.said.pop(0)
        if isinstance(first, int):
            raise OSError(first, "")
        return first

    def send(self, _: bytes) -> None:
        return

    def close(self) -> None:
        self.said = []


def traced(*said: bytes | int) -> RuleTrace:
    sock: Any = Told(*said)
    return RuleTrace(SandboxId("host"), "dnetsniff-1", sock)


def handles(trace: RuleTrace) -> list[list[int | None]]:
    return [[step.handle for step in each.steps] for each in trace.traversals(FLOW)]


def test_all_that_is_there_is_read() -> None:
    trace = traced(event(7, -1, packet=True) + event(8, -1, packet=False), event(9, 0, packet=False))
    trace.read()
    assert (handles(trace), trace.why) == ([[7, 8, 9]], "")


def test_a_full_buffer_is_a_blind_spot_and_no_guess() -> None:
    trace = traced(event(7, -1, packet=True), errno.ENOBUFS, event(8, 0, packet=False))
    traces = RuleTraces({}, FLOW, traces=[trace])
    record = traces.record()
    assert [[step.handle for step in each.steps] for each in record.traversals] == [[7]]
    assert [(each.point, each.why) for each in traces.blind_spots] == [
        ("rules of host", "the kernel told more than there was room for")
    ]
    traces.pool.shutdown()


def test_a_run_that_is_told_too_much_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule_trace, "MOST_BYTES", 10)
    trace = traced(event(7, -1, packet=True), event(8, 0, packet=False))
    trace.read()
    assert (handles(trace), trace.why) == ([], "the rules had too much to tell in one run")


def test_another_failure_is_not_hidden() -> None:
    with pytest.raises(OSError, match="Errno 9"):
        traced(errno.EBADF).read()


def test_what_others_have_traced_is_left_out() -> None:
    trace = traced(event(7, 0, packet=True))
    trace.read()
    assert trace.traversals(ProbeFlow(4, ICMP, ("10.0.0.2",), (1,))) == ()


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (UntraceableError("this kernel has no nf_tables"), "this kernel has no nf_tables"),
        (PermissionError(errno.EPERM, ""), "CAP_NET_ADMIN is missing: the rules that a packet meets cannot be told"),
        (TimeoutError("timed out"), "the kernel did not answer in time"),
        (OSError(errno.ENOMEM, ""), "cannot allocate memory"),
        (DepartedError("it is gone", ""), "it is gone"),
    ],
)
def test_what_cannot_be_traced_is_a_blind_spot(monkeypatch: pytest.MonkeyPatch, error: Exception, why: str) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(rule_trace, "_entered", refuse)
    plan = planned(read("two-networks.toml"), "web", "db")
    with open_rule_traces(plan, {SandboxId("host"): 0}) as traces:
        traces.begin(FLOW)
        traces.collect()
        assert traces.side_effects() == ()
    assert [(each.point, each.why) for each in traces.blind_spots] == [("rules of host", why)]


def test_what_the_kernel_says_of_nf_tables_is_understood() -> None:
    def asked(*said: bytes) -> bool:
        sock: Any = Told(*said)
        return rule_trace._anything_hooked(sock, 4)

    def ended(number: int, kind: int) -> bytes:
        return struct.pack("=IHHIIi", 20, kind, 0, 0, 0, -number)

    base = [(1, b"filter\0"), (3, b"FORWARD\0"), (4, nested([(1, be32(2))]))]
    ours = [(1, b"dnetsniff-1\0"), *base[1:]]
    done, error = 3, 2
    assert asked(message(0xA03, 2, base), ended(0, done)) is True
    # Anybody can call a table like ours, and have it drop.
    assert asked(message(0xA03, 2, ours), ended(0, done)) is True
    assert asked(message(0xA03, 10, base) + ended(0, done)) is False
    with pytest.raises(UntraceableError, match="no nf_tables"):
        asked(ended(errno.EINVAL, error))
    with pytest.raises(PermissionError):
        asked(ended(errno.EPERM, error))
