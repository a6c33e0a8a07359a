"""Findings about caches, tables and addresses: what they stand on, and what must not raise them."""

import pytest
from state_cases import (
    NOBODY,
    TOKEN,
    WORLD,
    arp_between,
    consulted,
    discovery_dropped,
    filtered,
    lost_address,
    mac,
    one_mac,
    overlap,
    stale_cache,
    two_answers,
    wrong_port,
)
from topologies import change_link, delivered, link_named, planned, sent

from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.report import Confidence, Finding, Outcome, Severity
from inspector.pipeline import review

PID = "nsenter -t $(docker inspect -f '{{{{.State.Pid}}}}' {}) -n "


def found(recording: Recording) -> dict[str, Finding]:
    return {each.id: each for each in review(recording).findings}


def test_a_cache_against_kernel_and_engine() -> None:
    report = review(stale_cache())
    assert report.verdict.outcome is Outcome.DROPPED
    assert report.verdict.reason == "OTHERHOST"
    finding = report.findings[0]
    assert (finding.id, finding.severity, finding.confidence) == (
        "stale-neighbour",
        Severity.ERROR,
        Confidence.CERTAIN,
    )
    assert finding.evidence[0] == f"neighbour cache of web: 172.17.0.3 is {NOBODY} on eth0 (permanent)"
    assert finding.remedy == (PID.format("web") + "ip neigh del 172.17.0.3 dev eth0",)


def test_a_cache_that_leads_to_somebody_else() -> None:
    finding = found(stale_cache(to=mac(WORLD, "both/eth0")))["stale-neighbour"]
    assert finding.title.endswith("that MAC is both's")


def test_a_port_that_hides_who_is_behind_it_makes_it_likely() -> None:
    world = change_link(WORLD, "host/veth-both", peer=None)
    assert found(stale_cache(world))["stale-neighbour"].confidence is Confidence.LIKELY


@pytest.mark.parametrize(("learned", "confidence"), [(False, Confidence.CERTAIN), (True, Confidence.LIKELY)])
def test_a_table_that_names_the_wrong_port(*, learned: bool, confidence: Confidence) -> None:
    finding = found(wrong_port(learned=learned))["stale-neighbour"]
    assert finding.confidence is confidence
    assert finding.title.endswith("to veth-both: db is behind veth-db")
    assert finding.remedy == (f"bridge fdb del {mac(WORLD, 'db/eth0')} dev veth-both master",)


def test_a_right_cache_is_not_stale() -> None:
    assert "stale-neighbour" not in found(stale_cache(to=mac(WORLD, "db/eth0")))


def test_a_line_about_another_address_is_none_of_it() -> None:
    assert "stale-neighbour" not in found(stale_cache(address="172.17.0.98"))


def test_two_answers_to_one_question() -> None:
    finding = found(two_answers())["duplicate-address"]
    assert finding.remedy == (
        PID.format("both") + "ip addr del 172.17.0.3 dev eth0",
        PID.format("web") + "ip neigh flush to 172.17.0.3",
    )


def test_an_answer_of_somebody_unknown() -> None:
    finding = found(two_answers(mac(WORLD, "db/eth0"), NOBODY))["duplicate-address"]
    assert finding.title.endswith("theirs: db/eth0, nobody we know")
    assert finding.remedy == ("give all but one of them another address than 172.17.0.3",)


@pytest.mark.parametrize("times", [1, 2])
def test_one_station_may_answer_as_often_as_it_likes(times: int) -> None:
    assert "duplicate-address" not in found(two_answers(*[mac(WORLD, "db/eth0")] * times))


def test_one_stack_may_answer_by_two_interfaces() -> None:
    link = link_named(WORLD, "host/veth-both1")
    bridged = change_link(WORLD, "host/veth-both1", bridge=link_named(WORLD, "host/docker0").key)
    assert link.peer
    recording = two_answers(mac(WORLD, "both/eth0"), mac(WORLD, "both/eth1"))
    recording = Recording(
        bridged, recording.plan, recording.token, recording.probes, observations=recording.observations
    )
    assert "duplicate-address" not in found(recording)


def test_one_mac_in_two_places() -> None:
    finding = found(one_mac())["duplicate-address"]
    assert finding.title.startswith("both/eth0 and db/eth0 have one MAC address")
    assert finding.remedy[0] == PID.format("both") + "ip link set eth0 address 02:00:00:00:00:01"


def test_a_subnet_over_a_lan() -> None:
    recording = overlap()
    (finding,) = review(recording).findings
    assert (finding.id, finding.confidence) == ("subnet-overlap", Confidence.LIKELY)
    assert "the host's route: 172.17.5.0/24 dev eth0" in finding.evidence
    assert '"bip": "10.0.1.1/24"' in finding.remedy[0], "the default network cannot be made anew"


@pytest.mark.parametrize(
    ("prefix", "target", "link"),
    [
        ("172.17.6.0/24", "172.17.5.9", "host/eth0"),
        ("0.0.0.0/0", "172.17.5.9", "host/eth0"),
        ("172.17.5.0/24", "172.17.5.9", "host/br-mynet"),
        ("172.17.0.0/24", "172.17.0.4", "host/eth0"),
    ],
    ids=["elsewhere", "the default route", "a bridge of the engine's", "a container's own address"],
)
def test_no_overlap(prefix: str, target: str, link: str) -> None:
    assert "subnet-overlap" not in found(overlap(prefix, target, link))


def test_discovery_that_stops_in_the_destination_s_stack() -> None:
    report = review(filtered())
    (finding,) = report.findings
    assert (finding.id, finding.confidence) == ("ipv6-neighbour-filtered", Confidence.LIKELY)
    assert finding.title.endswith("the neighbour-solicitation about it stopped in right")
    assert all(each.startswith(PID.format("right") + "ip6tables -I ") for each in finding.remedy)
    assert "which rule: not known" in finding.evidence


def test_discovery_that_stops_on_the_host() -> None:
    finding = found(filtered({"left/eth0": Heading.OUT, "host/veth-left": Heading.IN}))["ipv6-neighbour-filtered"]
    assert finding.title.endswith("stopped after host/veth-left")
    assert all(each.startswith("ip6tables -I ") for each in finding.remedy)


def test_an_advertisement_that_does_not_come_back() -> None:
    report = review(filtered(told_at={"right/eth0": Heading.OUT}))
    assert report.verdict.summary.startswith("an answer for ")
    finding = report.findings[0]
    assert finding.title.endswith("the neighbour-advertisement about it stopped on its way back")
    assert finding.remedy[0].startswith("ip6tables -I FORWARD ")


def test_the_rule_is_named_where_the_kernel_told_of_it() -> None:
    (finding,) = review(discovery_dropped("right", "INPUT")).findings
    assert (finding.id, finding.confidence) == ("ipv6-neighbour-filtered", Confidence.CERTAIN)
    assert finding.title == "right has fd00:6::3, and a rule in right drops the neighbour-solicitation about it"
    assert finding.evidence[-1] == (
        "the kernel's trace of it ends there: right: ip6 filter INPUT, rule 2: -p ipv6-icmp -j DROP"
    )
    assert finding.remedy[0] == PID.format("right").replace("-n ", "", 1).replace("nsenter -t", "nsenter -n -t") + (
        "ip6tables -I INPUT 2 -p icmpv6 --icmpv6-type neighbour-solicitation -j ACCEPT"
    )


def test_a_rule_of_nft_makes_way_by_nft() -> None:
    finding = found(discovery_dropped("right", "INPUT", text="meta l4proto ipv6-icmp drop"))["ipv6-neighbour-filtered"]
    assert [each.partition(") ")[2] for each in finding.remedy] == [
        "nft insert rule ip6 filter INPUT handle 5 icmpv6 type nd-neighbor-solicit accept",
        "nft insert rule ip6 filter INPUT handle 5 icmpv6 type nd-neighbor-advert accept",
    ]


def test_the_engine_s_address_that_the_kernel_does_not_have() -> None:
    finding = found(lost_address())["neighbour-unanswered"]
    assert finding.remedy == ("docker restart db",)
    assert "rtnetlink: no interface of db has 172.17.0.3" in finding.evidence


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ((), "both: no policy rule of its own"),
        (
            ("0: from all lookup local", "99: from 192.168.0.3 lookup 7"),
            "both: ip rule: 99: from 192.168.0.3 lookup 7",
        ),
    ],
)
def test_the_answer_s_route_and_rules_are_told(rules: tuple[str, ...], said: str) -> None:
    recording = delivered(WORLD, planned(WORLD, "web", "192.168.0.3"), routing=consulted(*rules))
    finding = found(recording)["asymmetric-return"]
    assert "both: ip route get 172.17.0.2 from 192.168.0.3: 172.17.0.2 dev eth0 src 172.17.0.4" in finding.evidence
    assert said in finding.evidence
    assert finding.remedy == ("dnetsniff trace web 172.17.0.4   # its address on bridge",)


@pytest.mark.parametrize(("barred", "raised"), [("host/veth-db", False), ("host/veth-api", True)])
def test_a_question_that_a_barrier_kept_from_its_answer_is_told_by_the_barrier(barred: str, *, raised: bool) -> None:
    world = change_link(WORLD, barred, up=False)
    plan = planned(world, "web", "db" if barred == "host/veth-db" else "api")
    target = "172.17.0.3" if barred == "host/veth-db" else "172.17.0.1"
    recording = Recording(world, plan, TOKEN, probes=(sent(),), observations=arp_between(plan, target=target))
    findings = found(recording)
    assert "interface-down" in findings
    assert ("neighbour-unanswered" in findings) is raised
