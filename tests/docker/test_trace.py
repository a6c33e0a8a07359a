"""Rows 1 to 5, 8, 10 and 11 of the course, on a live engine, through the command a user types."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import docker

pytestmark = pytest.mark.docker

Run = Callable[..., Any]


def points(report: dict[str, Any], direction: str = "request", *, seen: bool = True) -> list[str]:
    path = next(each for each in report["paths"] if each["direction"] == direction)
    return [hop["point"] for hop in path["hops"] if hop["seen"] is seen]


def findings(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["findings"]}


def traced(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    ran = run("trace", *words, "--format", "json")
    assert ran.out, ran.err
    return ran.status, ran.json


@pytest.mark.usefixtures("course")
def test_two_containers_on_one_bridge_are_switched_not_routed(run: Run) -> None:
    status, report = traced(run, "tomcat01", "tomcat02")
    hops = next(each["hops"] for each in report["paths"] if each["direction"] == "request")
    assert status == 0
    assert report["verdict"]["outcome"] == "delivered"
    assert report["statistics"]["received"] == 3
    assert [hop["sandbox"] for hop in hops] == ["tomcat01", "host", "host", "host", "tomcat02"]
    assert [hop["heading"] for hop in hops] == ["out", "in", "in", "out", "in"]
    assert {hop["ttl"] for hop in hops} == {64}
    assert len({(hop["source_mac"], hop["destination_mac"]) for hop in hops}) == 1
    assert hops[1]["at_ns"] == hops[2]["at_ns"], "a veth and its bridge share one time stamp"
    times = [hop["at_ns"] for hop in hops]
    assert times == sorted(times)
    assert any("layer 2" in fact["text"] for fact in report["story"])
    assert points(report, "reply")[-1] == "tomcat01/eth0"


def test_the_first_frame_is_flooded_and_the_bridge_learns(run: Run, extra: Callable[..., str]) -> None:
    """A container that has never sent is known to no bridge: what is sent to it leaves by every port."""
    for name in ("dn-new1", "dn-new2"):
        extra(name)
    status, report = traced(run, "dn-new1", "dn-new2")
    assert status == 0
    story = " ".join(fact["text"] for fact in report["story"])
    mac = docker("inspect", "-f", "{{.NetworkSettings.Networks.bridge.MacAddress}}", "dn-new2")
    assert f"{mac} answered" in story
    # Engine 28 makes a new container announce itself, so there the bridge knows it before the first probe.
    assert f"{mac} (dn-new2) is behind port" in story
    assert "docker0 learned: " in story or "docker0 knew already: " in story


@pytest.mark.usefixtures("course")
def test_the_host_reaches_a_container_without_a_routing_hop(run: Run) -> None:
    status, report = traced(run, "host", "tomcat01", "--no-lookup")
    assert status == 0
    assert [each.split("/")[0] for each in points(report)] == ["host", "host", "tomcat01"]
    assert points(report)[0] == "host/docker0"


@pytest.mark.usefixtures("course")
def test_two_networks_are_kept_apart_until_they_are_connected(run: Run) -> None:
    status, report = traced(run, "tomcat01", "mynet-tomcat01", "-W", "0.3", "-c", "1")
    assert status == 1
    assert report["verdict"]["outcome"] in {"lost", "dropped"}
    assert report["verdict"]["last_seen"].startswith("host/")
    assert "mynet-tomcat01/eth0" in report["verdict"]["never_seen"]
    finding = findings(report)["networks-isolated"]
    assert finding["evidence"]
    assert finding["remedy"] == ["docker network connect mynet tomcat01"]
    subprocess.run(finding["remedy"][0], shell=True, check=True)
    try:
        status, report = traced(run, "tomcat01", "mynet-tomcat01")
        assert status == 0
        assert points(report)[0] == "tomcat01/eth1"
        assert points(report, "reply")[-1] == "tomcat01/eth1"
        assert "dual-homed" in findings(report)
    finally:
        docker("network", "disconnect", "mynet", "tomcat01")


@pytest.mark.usefixtures("course")
def test_ls_pairs_both_ends_of_each_veth(run: Run) -> None:
    topology = run("ls", "--format", "json").json
    links = {(stack["name"], link["ifindex"]): link for stack in topology["sandboxes"] for link in stack["links"]}
    near = links[
        "tomcat01", next(index for name, index in links if name == "tomcat01" and links[name, index]["name"] == "eth0")
    ]
    far = links["host", near["peer_ifindex"]]
    assert far["peer"] == {"sandbox": "tomcat01", "ifindex": near["ifindex"]}
    assert near["peer"] == {"sandbox": "host", "ifindex": far["ifindex"]}
    assert links["host", far["bridge"]]["name"] == "docker0"
    text = run("ls").out
    assert f"{far['ifindex']}: {far['name']} <-> {near['ifindex']}: eth0" in text


def test_each_mode_of_a_container_is_told_apart(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-host", "--network", "host")
    extra("dn-none", "--network", "none")
    extra("dn-side", "--network", "container:tomcat01")
    extra("dn-dead", verb="create")
    modes = {each["name"]: each["mode"] for each in run("ls", "--format", "json").json["containers"]}
    assert (modes["dn-host"], modes["dn-none"], modes["dn-side"], modes["tomcat02"]) == (
        "host",
        "none",
        "container",
        "own",
    )

    status, report = traced(run, "dn-host", "tomcat01", "--no-lookup")
    assert (status, points(report)[0]) == (0, "host/docker0")
    assert "host-network" in findings(report)

    status, report = traced(run, "tomcat02", "dn-none")
    assert (status, report["verdict"]["outcome"]) == (1, "unresolved")
    assert "no-network" in findings(report)

    status, report = traced(run, "dn-side", "tomcat02")
    assert (status, points(report)[0]) == (0, "tomcat01/eth0")
    assert "shared-sandbox" in findings(report)

    status, report = traced(run, "tomcat01", "dn-dead")
    assert (status, report["verdict"]["outcome"]) == (1, "unresolved")
    assert findings(report)["container-not-running"]["remedy"] == ["docker start dn-dead"]


def test_a_paused_container_still_answers_ping(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-paused")
    docker("pause", "dn-paused")
    try:
        status, report = traced(run, "tomcat01", "dn-paused", "-c", "1")
    finally:
        docker("unpause", "dn-paused")
    assert status == 0
    assert findings(report)["container-paused"]["remedy"] == ["docker unpause dn-paused"]


def test_an_internal_network_has_no_way_out(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    network("dn-inner", "--internal")
    extra("dn-in1", "--network", "dn-inner")
    extra("dn-in2", "--network", "dn-inner")
    assert traced(run, "dn-in1", "dn-in2")[0] == 0
    status, report = traced(run, "dn-in1", "tomcat01", "-c", "1", "-W", "0.2")
    assert status == 1
    assert report["verdict"]["outcome"] in {"dropped", "lost"}
    assert {"no-route", "networks-isolated"} & set(findings(report))


def test_ipv6_is_followed_like_ipv4(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    network("dn-six", "--ipv6", "--subnet", "fd00:d0c:6::/64")
    extra("dn-a", "--network", "dn-six")
    extra("dn-b", "--network", "dn-six")
    status, report = traced(run, "dn-a", "dn-b", "-6", "-W", "3")
    assert status == 0
    assert ":" in report["resolution"]["address"]
    assert [each.split("/")[0] for each in points(report)] == ["dn-a", "host", "host", "host", "dn-b"]


def test_a_link_local_address_is_followed_on_its_link(
    run: Run, extra: Callable[..., str], network: Callable[..., str]
) -> None:
    network("dn-six", "--ipv6", "--subnet", "fd00:d0c:6::/64")
    for name in ("dn-a", "dn-b"):
        extra(name, "--network", "dn-six")
    address = link_local("dn-b")
    link_local("dn-a")
    status, report = traced(run, "dn-a", f"{address}%eth0")
    assert status == 0
    assert report["resolution"]["address"] == f"{address}%eth0"
    assert [each.split("/")[0] for each in points(report)] == ["dn-a", "host", "host", "host", "dn-b"]
    assert points(report, seen=False) == []
    assert any(effect.endswith(f" to {address}%eth0") for effect in report["side_effects"])
    refused = run("trace", "dn-a", address)
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert f"write {address}%eth0 (dn-a has eth0)" in refused.err


def link_local(name: str) -> str:
    """Return the container's link-local address, once it may be used (RFC 4862, 5.4)."""
    pid = docker("inspect", "-f", "{{.State.Pid}}", name)
    show = ["nsenter", "-t", pid, "-n", "ip", "-j", "-6", "addr", "show", "dev", "eth0", "scope", "link"]
    while True:
        (link,) = json.loads(subprocess.check_output(show))
        ready = [each["local"] for each in link["addr_info"] if "local" in each and not each.get("tentative")]
        if ready:
            return str(ready[0])


@pytest.mark.usefixtures("course")
def test_an_address_nobody_has_is_never_answered_about(run: Run) -> None:
    status, report = traced(run, "tomcat01", "172.17.255.77", "-c", "1", "-W", "0.3")
    assert status == 1
    assert report["verdict"]["outcome"] == "dropped"
    assert "neighbour-unanswered" in findings(report)


@pytest.mark.usefixtures("course")
def test_the_gateway_and_the_host_are_reached(run: Run) -> None:
    for word in ("gateway", "host"):
        status, report = traced(run, "tomcat01", word, "-c", "1")
        assert status == 0
        assert points(report)[-1] == "host/docker0"


@pytest.mark.usefixtures("course")
def test_a_recording_opens_in_tshark(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "recording"
    assert run("trace", "tomcat01", "tomcat02", "-w", str(folder)).status == 0
    fields = ["-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment", "-e", "frame.packet_id"]
    frames = subprocess.check_output(
        ["tshark", "-r", str(folder / "frames.pcapng"), "-Y", "icmp.type in {0, 8}", *fields],
        text=True,
        stderr=subprocess.DEVNULL,
    )
    rows = [line.split("\t") for line in frames.splitlines()]
    assert rows[0][0] == "tomcat01/eth0"
    assert rows[0][1].startswith("request 1, hop 1 of 5")
    assert len({packet for name, _comment, packet in rows if name == "tomcat02/eth0"}) == 6
    assert json.loads((folder / "recording.json").read_text())["schema"].startswith("dnetsniff.recording/")
    again = run("trace", "tomcat01", "tomcat02", "-w", str(folder))
    assert again.status == 74
    assert "exists" in again.err


@pytest.mark.usefixtures("course")
def test_without_promiscuous_mode_the_verdict_is_the_same(run: Run) -> None:
    status, report = traced(run, "tomcat01", "tomcat02", "--passive")
    assert status == 0
    assert points(report, seen=False) == ["host/docker0"]
    assert not any("promiscuous" in each for each in report["side_effects"])
