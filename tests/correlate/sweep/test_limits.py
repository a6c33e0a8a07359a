"""Each table of a capture file has its limit; what did not fit is told, and the counts of the interfaces are whole."""

from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, TCP, UDP
from scapy.layers.l2 import ARP, Ether

from captures import A, B, ip, told
from inspector.correlate.sweep import (
    conversations,
    echoes,
    errors_said,
    flow_table,
    handshakes,
    neighbours,
    points,
    questions,
    ways,
)
from inspector.correlate.sweep.durations import Durations
from inspector.correlate.sweep.keys import destination, source, turned
from inspector.correlate.sweep.one_pass import OnePass
from inspector.correlate.sweep.table import Table
from inspector.model.capture import Times


def peer(number: int) -> str:
    return f"10.0.1.{number}"


KINDS: list[tuple[ModuleType, str, Any, str]] = [
    (echoes, "MAX_PINGS", lambda n: ip(peer(n), "10.0.0.9") / ICMP(type=8, id=n), "5 pings were"),
    (
        questions,
        "MAX_QUESTIONS",
        lambda n: ip(peer(n), "10.0.0.9") / UDP(sport=9, dport=53) / DNS(id=n, qd=[DNSQR(qname="a")]),
        "5 DNS questions were",
    ),
    (
        handshakes,
        "MAX_CONNECTIONS",
        lambda n: ip(peer(n), "10.0.0.9") / TCP(sport=9, dport=80, flags="S"),
        "5 TCP connections were",
    ),
    (
        neighbours,
        "MAX_QUESTIONS",
        lambda n: Ether(src=A, dst=B) / ARP(op=1, psrc=peer(n), pdst="10.0.0.9"),
        "5 questions for MACs were",
    ),
    (
        errors_said,
        "MAX_ERRORS",
        lambda n: ip("10.0.0.9", peer(n)) / ICMP(type=3, code=1) / ip(peer(n), "10.0.0.8").payload / UDP(),
        "5 kinds of ICMP errors were",
    ),
    (ways, "MAX_WAYS", lambda n: ip(peer(n), "10.0.0.9", id=n) / UDP(sport=n, dport=9), "5 packets took ways"),
]


@pytest.mark.parametrize(("module", "limit", "make", "words"), KINDS, ids=[each[1] + each[3] for each in KINDS])
def test_what_is_too_much_is_told(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, limit: str, make: Any, words: str
) -> None:
    monkeypatch.setattr(module, limit, 3)
    report = told(*(("a", number, make(number)) for number in range(1, 9)))
    assert [each for each in report.overlooked.others if each.startswith(words)]
    assert report.seen.frames == 8


def test_conversations_beyond_the_limit_are_summed_up_the_smallest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MOST", 2)
    frames = [ip(peer(n), "10.0.0.9") / UDP(sport=9, dport=9) for n in (1, 1, 1, 2, 2, 3, 4)]
    report = told(*(("a", at, frame) for at, frame in enumerate(frames)))
    assert [each.there.frames for each in report.conversations] == [3, 2]
    assert (report.overlooked.flows, report.overlooked.folded.frames) == (2, 2)


def test_packets_are_waited_for_within_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "MAX_PENDING", 4)
    frames = [ip(peer(n % 200), "10.0.0.9", id=n + 1) / UDP(sport=9, dport=9) for n in range(30)]
    report = told(*(each for at, frame in enumerate(frames) for each in (("a", at, frame), ("b", at, frame))))
    assert sum(each.packets for each in report.ways) == 30
    monkeypatch.setattr(ways, "MAX_SIGHTINGS", 4)
    frame = ip("10.0.0.2", "10.0.0.9", id=0) / UDP(sport=9, dport=9)
    assert sum(each.packets for each in told(*(("ab"[n % 2], n, frame) for n in range(20))).ways) == 10


def test_flows_have_a_limit_of_their_own() -> None:
    found = OnePass()
    assert (found.flows.limit, flow_table.MAX_FLOWS, points.MAX_PARTS) == (50_000, 50_000, 1_000)


@given(st.lists(st.integers(0, 9), max_size=40))
def test_a_table_never_outgrows_its_limit(keys: list[int]) -> None:
    table: Table[int, int] = Table(3)
    for key in keys:
        if key not in table.entries:
            table.put(key, key)
        assert len(table.entries) <= 3
    assert table.gone >= len(set(keys)) - 3


@given(st.lists(st.integers(-5, 1000), min_size=1))
def test_durations_are_summed_up(values: list[int]) -> None:
    several = Durations()
    assert several.times() is None
    for each in values:
        several.add(each)
    assert several.times() == Times(min(values), sum(values) // len(values), max(values))


@given(st.sampled_from([8, 12, 32, 36]).flatmap(lambda size: st.binary(min_size=size, max_size=size)))
def test_ends_can_be_turned(ends: bytes) -> None:
    assert turned(turned(ends)) == ends
    assert (source(turned(ends)), destination(turned(ends))) == (destination(ends), source(ends))
