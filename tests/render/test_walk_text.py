"""What the firewalls did stands between the hops, fits in 80 columns, and is folded to what matters."""

import json

import pytest
from firewalls import chain, passed, with_firewall
from topologies import delivered, echo, planned, read, recorded, sent, sightings

from inspector.model.recording import Recording
from inspector.pipeline import review
from inspector.render.report_json import to_dict
from inspector.render.report_text import render_text

WORLD = read("two-networks.toml")
FAR = planned(WORLD, "web", "api")
IN, THROUGH, OUT = (
    {"inbound": "host/docker0"},
    {"inbound": "host/docker0", "outbound": "host/br-mynet"},
    {"outbound": "host/br-mynet"},
)
LONG = "-i br-0123456789ab ! -o br-0123456789ab -p icmp -m comment --comment " + "words " * 20 + "-j ACCEPT"
CHAINS = (
    chain("raw PREROUTING", {4: "-d 192.168.0.2/32 ! -i br-mynet -j DROP"}, size=5),
    chain("nat PREROUTING", {}),
    chain("filter FORWARD", {1: "-j OWN", 4: LONG}),
    chain("filter OWN", {2: "-j RETURN"}),
    chain("nat POSTROUTING", {}),
)
QUIET = (
    passed(WORLD, "raw PREROUTING", "PREROUTING policy accept", **IN),
    passed(WORLD, "nat PREROUTING", "PREROUTING policy accept", **IN),
    passed(WORLD, "filter FORWARD", "FORWARD 1 jump OWN", "OWN 2 return", "FORWARD 4 accept", **THROUGH),
    passed(WORLD, "nat POSTROUTING", "POSTROUTING policy accept", **OUT),
)
STOPPED = passed(WORLD, "raw PREROUTING", "PREROUTING 4 drop", **IN)


def dropped() -> Recording:
    recording = recorded(WORLD, FAR, probes=(sent(),), request=3, reply=0)
    return with_firewall(recording, [STOPPED], CHAINS)


def lines(recording: Recording, *, verbose: bool = False) -> list[str]:
    return render_text(review(recording), width=80, verbose=verbose).splitlines()


def test_each_hook_where_something_matched_is_a_line() -> None:
    shown = lines(with_firewall(delivered(WORLD, FAR), QUIET, CHAINS))
    at = next(number for number, line in enumerate(shown) if line.startswith("  host  docker0    in"))
    assert shown[at + 1] == "    filter FORWARD: accepted by rule 4"
    assert "br-mynet" in shown[at + 2]


def test_the_rule_that_stopped_it_has_its_own_line() -> None:
    shown = lines(dropped())
    at = next(number for number, line in enumerate(shown) if line.startswith("  host  docker0    in"))
    assert shown[at + 1] == ("    raw PREROUTING   rule 4 of 5   -d 192.168.0.2/32 ! -i br-mynet -j DROP")
    assert shown[at + 2] == "      (the engine's)"
    assert "not seen" in shown[at + 3]
    assert "DROPPED  on the host, after docker0, by rule 4 of 5 in raw PREROUTING (the" in shown


def test_in_full_every_rule_is_shown() -> None:
    shown = lines(with_firewall(delivered(WORLD, FAR), QUIET, CHAINS), verbose=True)
    assert "    raw PREROUTING   policy accept" in shown
    assert "    filter OWN   rule 2 of 9   -j RETURN   (the user's)" in shown
    assert any(line.startswith("    filter FORWARD   rule 4 of 9   -i br-0123456789ab") for line in shown)


@pytest.mark.parametrize("verbose", [False, True])
def test_eighty_columns_hold(*, verbose: bool) -> None:
    deep = [f"CHAIN-{number:02}-OF-A-LONG-NAME" for number in range(20)]
    steps = [f"{a} 1 jump {b}" for a, b in zip(["FORWARD", *deep], deep, strict=False)]
    told = passed(WORLD, "filter FORWARD", *steps, "FORWARD 4 accept", **THROUGH)
    shown = lines(with_firewall(delivered(WORLD, FAR), [told], CHAINS), verbose=verbose)
    assert max(len(line) for line in shown) <= 80


def test_json_has_every_rule() -> None:
    found = to_dict(review(dropped()))
    json.dumps(found)
    assert found["paths"][0]["rules"] == [
        {
            "sandbox": "host",
            "hook": "prerouting",
            "family": "ip",
            "table": "raw",
            "chain": "PREROUTING",
            "position": 4,
            "text": "-d 192.168.0.2/32 ! -i br-mynet -j DROP",
            "verdict": "drop",
            "owner": "engine",
            "after_hop": 2,
        }
    ]
    assert found["verdict"]["rule"]["position"] == 4
    assert [each["confidence"] for each in found["findings"] if each["id"] == "networks-isolated"] == ["certain"]


def test_a_frame_says_what_became_of_it() -> None:
    from inspector.correlate.correlation import correlate
    from inspector.explain.annotations import annotate

    recording = dropped()
    found = correlate(recording)
    comments = annotate(recording, found.paths, found.packet_ids)
    assert [("then dropped" in comments[each]) for each in range(3)] == [False, False, True]
    assert comments[2].endswith(
        "; then dropped in host by rule 4 of 5 in raw PREROUTING (the engine's): "
        "-d 192.168.0.2/32 ! -i br-mynet -j DROP"
    )


def test_another_firewalls_rule_is_no_isolation() -> None:
    chains = (chain("raw PREROUTING", {4: "-p icmp -j DROP"}), *CHAINS[1:])
    recording = with_firewall(recorded(WORLD, FAR, probes=(sent(),), request=3, reply=0), [STOPPED], chains)
    assert [each.id for each in review(recording).findings if each.id == "networks-isolated"] == []


def test_a_rule_that_rewrites_has_its_own_line() -> None:
    dnat = chain("nat PREROUTING", {2: "-p icmp -j DNAT --to-destination 192.168.0.2"})
    met = passed(WORLD, "nat PREROUTING", "PREROUTING 2 accept", **IN)
    shown = lines(with_firewall(delivered(WORLD, FAR), [met], [dnat]))
    (line,) = [each for each in shown if "nat PREROUTING" in each]
    assert line.startswith("    rewritten by nat PREROUTING   rule 2 of 9   -p icmp -j DNAT")


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (("FORWARD 4 accept",), ""),
        (("FORWARD 1 jump OWN", "OWN 2 return", "FORWARD 4 accept"), ""),
        (("FORWARD 1 accept",), ", past other rules (see -v)"),
    ],
)
def test_other_rules_are_hinted_at_where_another_one_let_a_packet_pass(second: tuple[str, ...], told: str) -> None:
    first = passed(WORLD, "filter FORWARD", "FORWARD 4 accept", **THROUGH)
    frame = echo("172.17.0.2", "192.168.0.2", 2)
    other = passed(WORLD, "filter FORWARD", *second, frame=frame, **THROUGH)
    extra = sightings(FAR, FAR.request, frame, at=10_000_000)
    recording = recorded(WORLD, FAR, probes=(sent(), sent(2)), reply=0, extra=extra)
    shown = lines(with_firewall(recording, [first, other], CHAINS))
    assert f"  request 2 took the same way{told}" in shown
