"""How a container resolves a name, on a live engine, through the command a user types: what was asked, and of whom.

The upstream server is the tests' own, in a namespace of its own; what it was really asked is compared with what
dnetsniff says it asked.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import docker
from upstream_answers import NO_DATA, NXDOMAIN, SILENT, Behaviour
from upstream_place import Upstream

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

Run = Callable[..., Any]
Make = Callable[..., str]
ADDRESS = "203.0.113.7"
ADDRESSES = Behaviour(records=(("A", ADDRESS),))


def resolved(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    ran = run("resolve", *words, "--format", "json")
    assert ran.out, ran.err
    return ran.status, ran.json


def queries(report: dict[str, Any]) -> list[tuple[str, str, str, str | None]]:
    asked = report["resolution"]["queries"]
    return [(each["name"], each["type"], each["server"], each["rcode"]) for each in asked]


def findings(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["findings"]}


def legs(report: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [leg for each in report["resolution"]["queries"] for leg in each["legs"] if leg["kind"] == kind]


def places(leg: dict[str, Any], part: str = "question") -> list[str]:
    return [hop["point"] for hop in leg[part]]


def address_of(name: str, network: str = "bridge") -> str:
    return docker("inspect", "-f", f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}', name)


# The hosts file


@pytest.fixture
def default(extra: Make) -> str:
    """Run a container on the default network alone.

    One that was on another network before keeps asking 127.0.0.11 when it is cut off (Engine 20.10, measured).
    """
    extra("dn-default")
    return "dn-default"


def test_a_link_is_a_line_of_the_hosts_file_and_no_packet(run: Run, upstream: Upstream) -> None:
    status, report = resolved(run, "tomcat03", "tomcat01")
    answer = report["resolution"]
    assert (status, answer["mechanism"], answer["address"]) == (0, "hosts-file", address_of("tomcat01"))
    assert answer["queries"] == []
    assert answer["hosts"][0]["names"][:2] == ["tomcat01", docker("inspect", "-f", "{{.Id}}", "tomcat01")[:12]]
    assert "tomcat03/eth0" in answer["quiet"]
    assert "tomcat03/lo" in answer["quiet"]
    assert upstream.queries() == []


def test_a_link_works_one_way(run: Run, upstream: Upstream) -> None:
    status, report = resolved(run, "tomcat01", "tomcat03")
    assert (status, report["resolution"]["mechanism"]) == (1, "unresolved")
    assert report["resolution"]["hosts"] == []
    assert "link-one-way" in findings(report)
    assert {each.name for each in upstream.queries()} == {"tomcat03"}


def test_its_own_name_and_added_hosts_are_lines_too(run: Run, extra: Make) -> None:
    extra("dn-added", "--add-host", "db.example:203.0.113.9", "--hostname", "me")
    for name, address in (("me", address_of("dn-added")), ("DB.example", "203.0.113.9")):
        status, report = resolved(run, "dn-added", name)
        assert (status, report["resolution"]["address"]) == (0, address)
        assert report["resolution"]["mechanism"] == "hosts-file"
        assert findings(report) == {}


def test_a_stale_line_is_found_out(run: Run, extra: Make) -> None:
    nobody = "172.17.255.77"
    extra("dn-stale", "--add-host", f"tomcat02:{nobody}")
    status, report = resolved(run, "dn-stale", "tomcat02")
    assert (status, report["resolution"]["address"]) == (0, nobody)
    assert "hosts-file-stale" in findings(report)
    traced = run("trace", "dn-stale", "tomcat02", "-c", "1", "-W", "0.3", "--format", "json").json
    assert traced["resolution"]["address"] == nobody, "it probes the address that the source got"
    assert findings(traced)["hosts-file-stale"]["confidence"] == "certain"


# The embedded DNS


def test_a_known_name_is_answered_inside_the_namespace(run: Run, upstream: Upstream) -> None:
    status, report = resolved(run, "mynet-tomcat01", "mynet-tomcat02")
    answer = report["resolution"]
    address = address_of("mynet-tomcat02", "mynet")
    assert (status, answer["mechanism"], answer["address"]) == (0, "embedded-dns", address)
    assert queries(report)[:2] == [
        ("mynet-tomcat02", "A", "127.0.0.11", "NOERROR"),
        ("mynet-tomcat02", "AAAA", "127.0.0.11", "NOERROR"),
    ]
    assert answer["answers"] == [{"name": "mynet-tomcat02", "type": "A", "data": address, "ttl": 600}]
    assert answer["reverse"] == "mynet-tomcat02.mynet"
    assert upstream.queries() == []
    assert {"mynet-tomcat01/eth0"} <= set(answer["quiet"])
    asked = legs(report, "asked")[0]
    assert set(places(asked)) == {"mynet-tomcat01/lo"}
    rewrite = asked["question"][0]["rewrites"][0]
    assert rewrite["before"] == "127.0.0.11:53"
    assert rewrite["after"].startswith("127.0.0.11:")
    assert not rewrite["after"].endswith(":53"), "on lo the query is seen behind the namespace's DNAT"
    assert asked["answer"][0]["source"] == "127.0.0.11:53"
    assert rewrite["after"] in answer["queries"][0]["rule"]["text"]
    assert legs(report, "forwarded") == []


def test_an_alias_of_two_containers_has_two_addresses(run: Run, extra: Make) -> None:
    for name in ("dn-one", "dn-two"):
        extra(name, "--network", "mynet", "--network-alias", "workers")
    status, report = resolved(run, "mynet-tomcat01", "workers", "-t", "A")
    both = {address_of(name, "mynet") for name in ("dn-one", "dn-two")}
    assert (status, set(report["resolution"]["addresses"])) == (0, both)


def test_a_name_of_another_network_is_forwarded_and_not_there(run: Run, upstream: Upstream) -> None:
    status, report = resolved(run, "mynet-tomcat01", "tomcat02")
    assert (status, report["resolution"]["mechanism"]) == (1, "unresolved")
    (forwarded, *_) = legs(report, "forwarded")
    assert forwarded["server"] == upstream.address
    assert places(forwarded)[0] == "mynet-tomcat01/eth0"
    assert places(forwarded)[-1] == f"host/{upstream.link}"
    assert places(forwarded, "answer")[0] == f"host/{upstream.link}"
    finding = findings(report)["name-not-resolvable"]
    assert "docker network connect bridge mynet-tomcat01" not in finding["remedy"]


def test_an_outside_name_is_forwarded_and_the_answer_handed_back(run: Run, upstream: Upstream) -> None:
    upstream.serve({"www.example": ADDRESSES, "www.example AAAA": NO_DATA})
    status, report = resolved(run, "mynet-tomcat01", "www.example")
    assert (status, report["resolution"]["mechanism"], report["resolution"]["address"]) == (0, "upstream-dns", ADDRESS)
    arrived = [(each.name, each.type) for each in upstream.queries()]
    assert sorted(arrived) == [("www.example", "A"), ("www.example", "AAAA")], "asked once, as libc would"


def test_dns_rules_that_are_gone_are_named(run: Run, extra: Make) -> None:
    extra("dn-flushed", "--network", "mynet")
    pid = docker("inspect", "-f", "{{.State.Pid}}", "dn-flushed")
    import subprocess

    for command in (["iptables", "-t", "nat", "-F"], ["iptables-legacy", "-t", "nat", "-F"]):
        subprocess.run(["nsenter", "-t", pid, "-n", *command], check=False, capture_output=True)
    status, report = resolved(run, "dn-flushed", "mynet-tomcat02")
    assert (status, report["resolution"]["mechanism"]) == (1, "unresolved")
    assert report["resolution"]["queries"][0]["outcome"] == "refused"
    finding = findings(report)["embedded-dns-silent"]
    assert finding["confidence"] == "certain"
    assert finding["remedy"]


# The default bridge


def test_on_the_default_bridge_the_query_goes_upstream(run: Run, upstream: Upstream, default: str) -> None:
    status, report = resolved(run, default, "tomcat02")
    assert (status, report["resolution"]["mechanism"]) == (1, "unresolved")
    assert queries(report) == [
        ("tomcat02", "A", upstream.address, "NXDOMAIN"),
        ("tomcat02", "AAAA", upstream.address, "NXDOMAIN"),
    ]
    (first, _) = legs(report, "asked")
    assert places(first)[0] == f"{default}/eth0"
    assert "host/docker0" in places(first)
    assert places(first)[-1] == f"host/{upstream.link}"
    last = first["question"][-1]
    assert {"source", "ttl"} <= {each["field"] for each in last["rewrites"]}, "masqueraded and routed"
    assert "name-not-resolvable" in findings(report)
    assert [(each.name, each.type) for each in upstream.queries()] == [("tomcat02", "A"), ("tomcat02", "AAAA")]


def test_trace_shows_both_halves_where_only_the_engine_knows_the_name(
    run: Run, upstream: Upstream, default: str
) -> None:
    traced = run("trace", default, "tomcat02", "-c", "1", "--format", "json")
    answer = traced.json["resolution"]
    assert (traced.status, answer["mechanism"], answer["address"]) == (0, "engine", address_of("tomcat02"))
    assert {each["rcode"] for each in answer["queries"]} == {"NXDOMAIN"}
    assert findings(traced.json)["name-not-resolvable"]["severity"] == "warning"
    assert len(upstream.queries()) == 2
    text = run("trace", default, "tomcat02", "-c", "1").out
    assert f"unknown inside {default}" in text
    assert "NXDOMAIN" in text


def test_a_search_domain_is_tried(run: Run, extra: Make, upstream: Upstream) -> None:
    upstream.serve({"db.corp.example": ADDRESSES, "db.corp.example AAAA": NO_DATA})
    extra("dn-search", "--dns-search", "other.example", "--dns-search", "corp.example")
    status, report = resolved(run, "dn-search", "db")
    assert (status, report["resolution"]["canonical"]) == (0, "db.corp.example")
    asked = [each.name for each in upstream.queries() if each.type == "A"]
    assert asked == ["db.other.example", "db.corp.example"]
    status, report = resolved(run, "dn-search", "db.corp.example.")
    assert (status, report["resolution"]["address"]) == (0, ADDRESS)


# What fails


def test_silence_is_told_with_where_the_query_was_last_seen(run: Run, upstream: Upstream, default: str) -> None:
    upstream.serve({"*": SILENT})
    status, report = resolved(run, default, "quiet.example", "-t", "A", "-W", "0.2")
    assert (status, report["resolution"]["mechanism"]) == (1, "unresolved")
    (query,) = report["resolution"]["queries"]
    assert (query["outcome"], query["rcode"], query["elapsed_ns"]) == ("silent", None, None)
    assert report["verdict"]["last_seen"] == f"host/{upstream.link}"
    assert "upstream-dns-unreachable" in findings(report)


@pytest.mark.parametrize("rcode", ["SERVFAIL", "REFUSED"])
def test_errors_are_told_apart(run: Run, upstream: Upstream, rcode: str, default: str) -> None:
    upstream.serve({"*": Behaviour(rcode=rcode)})
    status, report = resolved(run, default, "odd.example", "-t", "A", "-W", "0.5")
    assert (status, {each["rcode"] for each in report["resolution"]["queries"]}) == (1, {rcode})
    assert rcode in report["verdict"]["summary"]


def test_a_closed_port_is_a_refusal_and_not_silence(run: Run, upstream: Upstream, default: str) -> None:
    upstream.serve({}, udp="refused")
    status, report = resolved(run, default, "any.example", "-t", "A", "-W", "0.5")
    assert status == 1
    assert {each["outcome"] for each in report["resolution"]["queries"]} == {"refused"}
    assert "upstream-dns-unreachable" in findings(report)


def test_truncation_is_followed_over_tcp(run: Run, upstream: Upstream, default: str) -> None:
    upstream.serve({"big.example": Behaviour(records=(("A", ADDRESS),), truncated=True)})
    status, report = resolved(run, default, "big.example", "-t", "A")
    assert (status, report["resolution"]["address"]) == (0, ADDRESS)
    assert [each["transport"] for each in report["resolution"]["queries"]] == ["udp", "tcp"]
    upstream.serve({"big.example": Behaviour(records=(("A", ADDRESS),), truncated=True)}, tcp="refused")
    status, report = resolved(run, default, "big.example", "-t", "A", "-W", "0.5")
    assert status == 1
    assert "dns-truncated" in findings(report)


def test_an_aaaa_that_nobody_answers_is_what_makes_it_slow(run: Run, upstream: Upstream, default: str) -> None:
    upstream.serve({"half.example": ADDRESSES, "half.example AAAA": SILENT})
    status, report = resolved(run, default, "half.example", "-W", "0.4")
    assert (status, report["resolution"]["address"]) == (0, ADDRESS)
    finding = findings(report)["slow-lookup"]
    assert "AAAA" in " ".join([finding["title"], *finding["evidence"]])


def test_a_loopback_server_that_a_container_cannot_mean(run: Run, extra: Make) -> None:
    extra("dn-loop", "--dns", "127.0.0.53")
    status, report = resolved(run, "dn-loop", "any.example", "-t", "A", "-W", "0.5")
    assert status == 1
    finding = findings(report)["upstream-dns-unreachable"]
    assert "127.0.0.53" in finding["title"]


# Dual-homed, internal, host


def test_of_two_networks_the_common_one_is_answered(run: Run, network: Make, extra: Make) -> None:
    network("dn-second")
    extra("dn-both", "--network", "mynet")
    docker("network", "connect", "dn-second", "dn-both")
    status, report = resolved(run, "mynet-tomcat01", "dn-both")
    assert (status, report["resolution"]["address"]) == (0, address_of("dn-both", "mynet"))
    assert "dual-homed" in findings(report)


def test_an_internal_network_knows_its_own_names(run: Run, network: Make, extra: Make) -> None:
    network("dn-inside", "--internal")
    for name in ("dn-in-a", "dn-in-b"):
        extra(name, "--network", "dn-inside")
    status, report = resolved(run, "dn-in-a", "dn-in-b")
    assert (status, report["resolution"]["mechanism"]) == (0, "embedded-dns")
    assert report["resolution"]["reverse"] == "dn-in-b.dn-inside"


def test_an_ipv6_network_answers_aaaa(run: Run, network: Make, extra: Make) -> None:
    network("dn-six", "--ipv6", "--subnet", "fd00:d0c:7::/64")
    for name in ("dn-six-a", "dn-six-b"):
        extra(name, "--network", "dn-six")
    status, report = resolved(run, "dn-six-a", "dn-six-b")
    assert status == 0
    assert {each["type"] for each in report["resolution"]["answers"]} == {"A", "AAAA"}


def test_an_address_asks_for_its_name(run: Run) -> None:
    address = address_of("mynet-tomcat02", "mynet")
    status, report = resolved(run, "mynet-tomcat01", address)
    assert status == 0
    assert [(each["type"], each["data"]) for each in report["resolution"]["answers"]] == [
        ("PTR", "mynet-tomcat02.mynet.")
    ]


# Hostile


@pytest.mark.parametrize("how", ["loop", "counts", "cut", "short", "nonsense", "labels"])
def test_hostile_answers_change_nothing_but_the_text(run: Run, upstream: Upstream, how: str, default: str) -> None:
    upstream.serve({"*": Behaviour(records=(("A", ADDRESS),), hostile=how)})
    ran = run("resolve", default, "evil.example", "-t", "A", "-W", "0.4")
    assert ran.status in {0, 1}
    assert all(each.isprintable() for each in ran.out.split("\n"))
    assert "Traceback" not in ran.err


def test_a_hostile_name_is_asked_escaped_and_kept(run: Run, tmp_path: Path, upstream: Upstream, default: str) -> None:
    upstream.serve({})
    ran = run("resolve", default, "a\x1b[31mb.example", "-t", "A", "-W", "0.4", "-w", str(tmp_path / "kept"))
    assert ran.status == 1
    assert all(each.isprintable() for each in ran.out.split("\n"))
    again = run("explain", str(tmp_path / "kept"))
    assert (again.out, again.err) == (ran.out, "")


@pytest.mark.parametrize("name", ["x" * 64, "a..b", ".".join(["x" * 60] * 5)])
def test_a_name_that_no_message_can_hold_is_a_usage_error(run: Run, name: str, default: str) -> None:
    ran = run("resolve", default, name)
    assert (ran.status, ran.out) == (2, "")
    assert "RFC 1035" in ran.err


def test_a_recording_of_a_lookup_is_read_back(run: Run, tmp_path: Path, upstream: Upstream, default: str) -> None:
    from inspector.archive import load
    from inspector.pipeline import review

    upstream.serve({"*": NXDOMAIN})
    folder = tmp_path / "kept"
    ran = run("resolve", default, "tomcat02", "-w", str(folder), "--format", "json")
    assert ran.status == 1
    report = review(load(folder))
    assert report.names
    assert [each.outcome.query.type for each in report.names.exchanges] == ["A", "AAAA"]
    assert report.verdict.summary == ran.json["verdict"]["summary"]
