"""What dropped an ICMP error on its way home is known by the 20 bytes that the kernel tells of it, or not at all."""

import pytest
from firewalls import chain, passed, with_firewall
from kind_cases import complaint, told
from msgspec.structs import replace
from topologies import TOKEN

from inspector.correlate.complaints import complaints
from inspector.correlate.tracks import sort_frames
from inspector.model.recording import Recording
from inspector.model.report import Rule, Severity
from inspector.pipeline import review

ROUTER = "10.0.0.1"
DROP = "-p icmp -m icmp --icmp-type 3/4 -j DROP"
CHAINS = (chain("filter FORWARD", {1: DROP, 2: "-j ACCEPT"}), chain("raw PREROUTING", {1: DROP}))
UNHEARD = told("host/eth0", by=ROUTER, link="host/veth-db")
ERROR = complaint(ROUTER, UNHEARD.plan, 1400)


def stopped(*steps: str, frame: bytes = ERROR, base: str = "filter FORWARD") -> Recording:
    walks = [passed(UNHEARD.topology, base, each, frame=frame, inbound="host/eth0") for each in steps]
    return with_firewall(UNHEARD, walks, CHAINS)


def named(recording: Recording) -> Rule | None:
    tracks = sort_frames(recording.observations, TOKEN, recording.plan.neighbours)
    (found,) = complaints(recording, tracks)
    assert found.heard is False
    return found.rule


def test_the_rule_is_named_and_way_is_made_for_the_error() -> None:
    recording = stopped("FORWARD 1 drop")
    rule = named(recording)
    assert rule is not None
    assert (rule.chain, rule.position, rule.text, rule.owner) == ("FORWARD", 1, DROP, "user")
    finding = next(each for each in review(recording).findings if each.id == "mtu-too-big")
    assert finding.severity is Severity.ERROR
    assert finding.title.endswith("10.0.0.1 says so, and web never heard it")
    assert finding.evidence[1] == (
        f"the kernel's trace of that error ends there: ip filter FORWARD on host, rule 1: {DROP}"
    )
    assert finding.remedy[0] == "iptables -I FORWARD 1 -p icmp --icmp-type fragmentation-needed -j ACCEPT"


def test_a_translation_does_not_hide_it() -> None:
    """Behind it the destination is another, and so are both checksums."""
    ip, message = bytearray(ERROR[14:34]), bytearray(ERROR[34:54])
    ip[16:20], ip[10:12] = bytes((172, 17, 0, 9)), bytes(2)
    message[2:4], message[18:20] = bytes(2), bytes(2)
    assert named(stopped("FORWARD 1 drop", frame=ERROR[:14] + bytes(ip) + bytes(message))) is not None


@pytest.mark.parametrize(
    ("why", "recording"),
    [
        ("let through", stopped("FORWARD 1 drop", "FORWARD 2 accept")),
        ("not dropped", stopped("FORWARD 2 accept")),
        ("another sender", stopped("FORWARD 1 drop", frame=complaint("10.0.0.9", UNHEARD.plan, 1400))),
        ("another size", stopped("FORWARD 1 drop", frame=complaint(ROUTER, UNHEARD.plan, 1300))),
        ("another packet", stopped("FORWARD 1 drop", frame=ERROR[:45] + bytes((9,)) + ERROR[46:])),
        ("cut", stopped("FORWARD 1 drop", frame=ERROR[:50])),
        ("gone", stopped("FORWARD 7 drop")),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_nothing_is_guessed(why: str, recording: Recording) -> None:
    assert named(recording) is None, why


def test_another_stack_s_drop_is_none_of_it() -> None:
    recording = stopped("FORWARD 1 drop")
    walks = tuple(replace(each, sandbox="elsewhere") for each in recording.firewall.traversals)
    assert named(replace(recording, firewall=replace(recording.firewall, traversals=walks))) is None
