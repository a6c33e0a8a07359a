"""What was rewritten, and the rules that the kernel said it went by."""

import pytest
from msgspec.structs import replace
from port_cases import BY_HOST, DB, ON_LOOPBACK, SOURCE_PORT, entry, framed, syn, translated

from inspector.correlate.correlation import correlate
from inspector.correlate.translations import translations
from inspector.model.conntrack import ConntrackRecord, Flow
from inspector.model.recording import Recording
from inspector.model.topology import HOST
from inspector.model.walk import MetRule, WalkStep

ASKED = Flow("172.17.0.2", "172.17.0.1", SOURCE_PORT, 8080)
CARRIED = Flow("172.17.0.2", DB, SOURCE_PORT, 80)
DNAT = "-p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:80"


def recording(*flows: tuple[Flow, Flow]) -> Recording:
    own = tuple(entry(*each) for each in flows)
    return translated(BY_HOST, conntrack=ConntrackRecord(own))


def step(text: str, verdict: str = "accept") -> WalkStep:
    met = MetRule("DOCKER", 2, 2, text, verdict, "engine", 7)
    return WalkStep(1, HOST, "prerouting", "ip", "nat", ("PREROUTING", "DOCKER"), (met,), verdict)


def test_only_what_is_rewritten_is_a_translation() -> None:
    seen = recording((ASKED, CARRIED), (CARRIED, CARRIED))
    (found,) = correlate(seen).translations
    assert found.entry.original == ASKED
    assert found.rules == ()


def test_the_rule_of_the_same_flow_is_named() -> None:
    other = replace(ASKED, source_port=1), replace(CARRIED, source_port=1)
    seen = recording((ASKED, CARRIED), other)
    path, *rest = correlate(seen).paths
    first, second = translations(seen, [replace(path, walk=(step("-j LOG", "continue"), step(DNAT))), *rest])
    assert [(each.chain, each.position, each.text, each.owner) for each in first.rules] == [
        ("DOCKER", 2, DNAT, "engine")
    ]
    assert second.rules == ()


def test_what_the_sender_s_own_rules_rewrote_is_told_at_the_first_hop() -> None:
    asked, carried = Flow("127.0.0.1", "127.0.0.1", SOURCE_PORT, 8080), Flow("127.0.0.1", DB, SOURCE_PORT, 80)
    local = translated(ON_LOOPBACK)
    masked = [
        replace(each, frame=framed("172.17.0.1", DB, syn(ON_LOOPBACK, dport=80)))
        if each.frame == framed("127.0.0.1", DB, syn(ON_LOOPBACK, dport=80))
        else each
        for each in local.observations
    ]
    own = (entry(asked, replace(carried, source="172.17.0.1")),)
    seen = replace(local, observations=tuple(masked), conntrack=ConntrackRecord(own))
    first = correlate(seen).paths[0].seen[0]
    assert [(each.field, each.before, each.after) for each in first.rewrites] == [
        ("source", f"127.0.0.1:{SOURCE_PORT}", f"172.17.0.1:{SOURCE_PORT}"),
        ("destination", "127.0.0.1:8080", f"{DB}:80"),
    ]
    without = correlate(replace(seen, conntrack=ConntrackRecord())).paths[0].seen[0]
    assert [each.field for each in without.rewrites] == ["destination"]


@pytest.mark.parametrize(
    ("text", "translates"),
    [
        (DNAT, True),
        ("-s 172.17.0.0/16 ! -o docker0 -j MASQUERADE", True),
        ("-p udp -j REDIRECT --to-ports 53", True),
        ("tcp dport 8080 dnat to 172.17.0.3:80", True),
        ("ip saddr 172.17.0.0/16 counter packets 1 bytes 60 masquerade", True),
        ("meta l4proto tcp dnat ip to 172.17.0.3:80", True),
        ("-j ACCEPT", False),
        ("-j DNATTED", False),
    ],
)
def test_which_rules_translate(text: str, *, translates: bool) -> None:
    assert step(text).rules[0].translates is translates
    assert not step(text, "drop").rules[0].translates
