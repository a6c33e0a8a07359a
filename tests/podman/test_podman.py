"""The questions of the course, put to a live Podman through its Docker-compatible API."""

import os
import subprocess
from collections.abc import Callable
from typing import Any

import pytest
from commands import Ran
from private_podman import PrivatePodman

pytestmark = pytest.mark.podman

Run = Callable[..., Ran]


def traced(run: Run, *words: str) -> tuple[int, dict[str, Any]]:
    ran = run("trace", *words, "--format", "json")
    assert ran.out, ran.err
    return ran.status, ran.json


def hops(report: dict[str, Any], direction: str = "request") -> list[dict[str, Any]]:
    return next(list(each["hops"]) for each in report["paths"] if each["direction"] == direction)


def findings(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["findings"]}


def remedied(podman: PrivatePodman, finding: dict[str, Any]) -> None:
    """Type the remedy as it is printed."""
    path = f"{podman.program}:{os.environ['PATH']}"
    for line in finding["remedy"]:
        done = subprocess.run(line, shell=True, env={"PATH": path}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}: {done.stderr}"


def version(podman: PrivatePodman) -> str:
    return podman.podman("version", "--format", "{{.Server.Version}}")


def test_the_engine_is_called_podman(run: Run, podman: PrivatePodman) -> None:
    status, report = traced(run, "red1", "red2")
    assert status == 0
    assert report["engine"] == {"name": "Podman Engine", "version": version(podman)}
    assert run("trace", "red1", "red2").out.splitlines()[0].endswith(f"Podman Engine {version(podman)}   DELIVERED")


def test_ls_pairs_every_container_with_its_bridge_port(run: Run, podman: PrivatePodman) -> None:
    ran = run("ls", "--format", "json")
    assert ran.status == 0, ran.err
    networks = {each["name"]: each for each in ran.json["networks"]}
    assert set(networks) == {"podman", "red", "blue", "apart1", "apart2", "inner"}
    named = {name: each["bridge"] for name, each in networks.items()}
    asked = {name: podman.podman("network", "inspect", name, "--format", "{{.NetworkInterface}}") for name in networks}
    assert named == asked
    places = {each["name"]: each for each in ran.json["containers"]}
    assert {name: places[name]["mode"] for name in ("red1", "hosts", "nothing", "sidecar", "inpod")} == {
        "red1": "own",
        "hosts": "host",
        "nothing": "none",
        "sidecar": "container",
        "inpod": "container",
    }
    assert "red1 " in run("ls").out


def test_one_network_is_switched(run: Run) -> None:
    status, report = traced(run, "red1", "red2")
    way = hops(report)
    assert (status, report["verdict"]["outcome"]) == (0, "delivered")
    assert [each["sandbox"] for each in way] == ["red1", "host", "host", "host", "red2"]
    assert all(each["seen"] for each in way)
    assert {each["ttl"] for each in way} == {64}


def test_two_networks_are_routed_and_not_kept_apart(run: Run) -> None:
    status, report = traced(run, "red1", "blue1")
    way = hops(report)
    assert (status, report["verdict"]["outcome"]) == (0, "delivered")
    assert [each["ttl"] for each in way] == [64, 64, 64, 63, 63, 63]
    assert "networks-isolated" not in findings(report)


def test_networks_with_isolate_are_kept_apart_and_connecting_mends_it(run: Run, podman: PrivatePodman) -> None:
    status, report = traced(run, "far1", "far2")
    assert status == 1
    assert report["verdict"]["outcome"] in {"lost", "dropped"}
    finding = findings(report)["networks-isolated"]
    assert "Docker" not in str(finding)
    assert finding["remedy"] == ["podman network connect apart2 far1"]
    remedied(podman, finding)
    try:
        status, report = traced(run, "far1", "far2")
        assert (status, report["verdict"]["outcome"]) == (0, "delivered")
        assert report["resolution"]["mechanism"] == "embedded-dns"
    finally:
        podman.podman("network", "disconnect", "apart2", "far1")


@pytest.mark.parametrize(
    ("source", "destination", "first", "last"),
    [
        ("host", "red1", "host", "red1"),
        ("red1", "gateway", "red1", "host"),
        ("red1", "host", "red1", "host"),
        ("red1", "hosts", "red1", "host"),
        ("both", "blue1", "both", "blue1"),
        ("plain1", "plain2", "plain1", "plain2"),
        ("sidecar", "red2", "sidecar", "red2"),
        ("inpod", "red2", "inpod", "red2"),
        ("red2", "inpod", "red2", "pods"),
    ],
)
def test_every_pair_is_followed(run: Run, source: str, destination: str, first: str, last: str) -> None:
    status, report = traced(run, source, destination)
    way = hops(report)
    assert (status, report["verdict"]["outcome"]) == (0, "delivered"), report["verdict"]
    labels = {"sidecar": {"sidecar", "red1"}, "inpod": {"inpod", "pods"}}
    assert way[0]["sandbox"] in labels.get(first, {first})
    assert way[-1]["sandbox"] in labels.get(last, {last})
    assert all(each["seen"] for each in way)
    assert report["blind_spots"] == []


def test_the_modes_without_an_own_stack_are_noted(run: Run) -> None:
    assert "host-network" in findings(traced(run, "red1", "hosts")[1])
    assert "shared-sandbox" in findings(traced(run, "inpod", "red2")[1])
    status, report = traced(run, "nothing", "red1")
    assert (status, report["verdict"]["outcome"]) == (1, "dropped")
    assert "no-network" in findings(report)
    assert findings(report)["no-route"]["remedy"] == [], "mode none takes no network"
    assert "no-route" in findings(traced(run, "inside", "red1")[1])


@pytest.mark.parametrize("name", ["red2", "crimson"])
def test_aardvark_answers_on_the_gateway(run: Run, podman: PrivatePodman, name: str) -> None:
    ran = run("resolve", "red1", name, "--format", "json")
    assert ran.status == 0, ran.out + ran.err
    found = ran.json["resolution"]
    gateway = podman.podman("network", "inspect", "red", "--format", "{{range .Subnets}}{{.Gateway}}{{end}}")
    address = podman.podman("inspect", "red2", "--format", "{{.NetworkSettings.Networks.red.IPAddress}}")
    assert (found["mechanism"], found["server"], found["address"]) == ("embedded-dns", gateway, address)
    seen = found["queries"][0]["seen_at"]
    assert seen[0] == "red1/eth0"
    assert any(each.startswith("host/") for each in seen), "its name server is the host's"
    assert f"by the engine's DNS at {gateway}" in run("resolve", "red1", name).out


def test_a_name_of_another_network_is_not_known_and_connecting_mends_it(run: Run, podman: PrivatePodman) -> None:
    ran = run("resolve", "red2", "blue1", "--format", "json")
    assert ran.status == 1
    finding = findings(ran.json)["name-not-resolvable"]
    assert finding["remedy"] == ["podman network connect blue red2"]
    remedied(podman, finding)
    try:
        assert run("resolve", "red2", "blue1").status == 0
    finally:
        podman.podman("network", "disconnect", "blue", "red2")


def test_the_lab_is_refused_in_one_sentence(run: Run, podman: PrivatePodman) -> None:
    before = podman.podman("images", "-q")
    ran = run("lab", "up")
    assert ran.status == 2
    assert ran.err.startswith("dnetsniff: the course is about Docker: Podman Engine makes no legacy links")
    assert ran.err.count("\n") == 1
    assert podman.podman("images", "-q") == before
    assert run("lab", "down").status == 0


def test_doctor_names_it(run: Run, podman: PrivatePodman) -> None:
    ran = run("doctor")
    assert ran.status == 0, ran.out
    assert f"ok engine  Podman Engine {version(podman)}" in ran.out


def test_an_unknown_container_is_a_usage_error(run: Run) -> None:
    ran = run("trace", "redd", "red2")
    assert ran.status == 2
    assert "did you mean red" in ran.err


def test_a_stopped_container_is_started_by_podman(run: Run, podman: PrivatePodman) -> None:
    podman.start("gone", "--network", "red")
    podman.podman("stop", "-t", "0", "gone")
    try:
        finding = findings(traced(run, "red1", "gone")[1])
        assert "podman start gone" in finding["container-not-running"]["remedy"]
    finally:
        podman.podman("rm", "-f", "gone")
