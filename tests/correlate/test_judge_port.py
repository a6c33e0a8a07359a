"""How connections and datagrams end, and who ended them."""

import pytest
from port_cases import (
    NEAR,
    WORLD,
    accepted,
    datagram,
    port_plan,
    port_recording,
    refused,
    rejected,
    reset,
    syn,
    there,
)

from inspector.correlate.correlation import correlate
from inspector.model.question import Protocol
from inspector.model.recording import Recording
from inspector.model.report import Outcome

FAR = port_plan(WORLD, "web", "api")
DATAGRAMS = port_plan(WORLD, "web", "db", protocol=Protocol.UDP)
OUTSIDE = port_plan(WORLD, "web", "8.8.8.8")

CASES = {
    "accepted": (accepted(WORLD, NEAR), Outcome.DELIVERED, "1 of 1 accepted"),
    "closed at once": (
        accepted(WORLD, NEAR, probes=()),
        Outcome.UNKNOWN,
        "no probe was sent: the run ended before",
    ),
    "refused": (
        refused(WORLD, NEAR),
        Outcome.REJECTED,
        "db:8080 refused: its own stack answered RST, first seen at db/eth0",
    ),
    "refused by the host": (
        rejected(WORLD, FAR),
        Outcome.REJECTED,
        "api:8080 never refused: the RST was made on the way, first seen at host/docker0",
    ),
    "refused inside": (
        port_recording(WORLD, NEAR, answer="TCP RST"),
        Outcome.REJECTED,
        "db:8080 was refused (RST) inside web itself: nothing came back from any point",
    ),
    "reset": (
        reset(WORLD, NEAR),
        Outcome.REJECTED,
        "db:8080 accepted the connection and reset it at once; the RST was first seen at db/eth0",
    ),
    "silent": (
        port_recording(WORLD, NEAR, there(NEAR, syn(NEAR))),
        Outcome.UNANSWERED,
        "it arrived at db/eth0, and db did not answer",
    ),
    "a silent service": (
        port_recording(WORLD, DATAGRAMS, there(DATAGRAMS, datagram(DATAGRAMS))),
        Outcome.UNANSWERED,
        "it arrived at db/eth0, and db did not answer",
    ),
    "lost": (
        port_recording(WORLD, FAR, there(FAR, syn(FAR), 3)),
        Outcome.LOST,
        "last seen at host/docker0; it never came to host/br-mynet",
    ),
    "answered datagram": (port_recording(WORLD, DATAGRAMS, answer="reply"), Outcome.DELIVERED, "1 of 1 answered"),
    "closed by the peer": (
        port_recording(WORLD, NEAR, answer="reply", then="closed"),
        Outcome.DELIVERED,
        "1 of 1 accepted; 1 closed by the peer at once",
    ),
    "no way": (
        port_recording(WORLD, OUTSIDE, answer="Destination Net Unreachable"),
        Outcome.REJECTED,
        "somebody on the way to 8.8.8.8 said no: Destination Net Unreachable",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_it_ends_as(name: str) -> None:
    recording, outcome, summary = CASES[name]
    verdict = correlate(recording).verdict
    assert (verdict.outcome, verdict.summary) == (outcome, summary)


def test_a_refusal_counts_as_no_reply() -> None:
    assert correlate(refused(WORLD, NEAR)).statistics.received == 0
    assert correlate(accepted(WORLD, NEAR)).statistics.received == 1


def test_recordings_need_no_ports() -> None:
    """Those of echoes have none, and older ones say nothing of them."""
    assert Recording(WORLD, NEAR, b"").source_ports == ()
