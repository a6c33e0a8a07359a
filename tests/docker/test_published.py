"""Published ports on an engine without its userland proxy: rules alone carry them, and each way that fails is told."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import dnetsniff
from private_engine import IMAGE, PrivateEngine, private_engine, wait_until

from inspector.wire.proc_net import TCP_LISTEN, read_open_ports

pytestmark = pytest.mark.docker

Traced = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def alone() -> Iterator[PrivateEngine]:
    with private_engine("--userland-proxy=false") as engine:
        engine.docker("network", "create", "other")
        serves = ["/bin/busybox", "httpd", "-f", "-p", "80"]
        options = ["-d", "--dns", "127.0.0.1", "--stop-signal", "KILL"]
        engine.docker("run", *options, "-p", "8080:80", "--name", "web", IMAGE, *serves)
        engine.start("near")
        engine.docker("run", *options, "--network", "other", "--name", "far", IMAGE)
        pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "web")
        wait_until(lambda: listens(pid, 80), "the service does not listen")
        yield engine


def listens(pid: str, port: int) -> bool:
    tables = [Path("/proc", pid, "net", name).read_text() for name in ("tcp", "tcp6")]
    return any(each.port == port for table in tables for each in read_open_ports(table, TCP_LISTEN))


@pytest.fixture
def traced(alone: PrivateEngine) -> Traced:
    def ask(*words: str) -> dict[str, Any]:
        environment = {**os.environ, "DOCKER_HOST": alone.url}
        ran = dnetsniff("trace", *words, "-c", "1", "-W", "1", "--no-lookup", "--format", "json", env=environment)
        assert ran.out, ran.err
        found = json.loads(ran.out)
        assert isinstance(found, dict)
        return found

    return ask


def ids(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["findings"]}


@pytest.mark.parametrize("words", [("near", "gateway:8080"), ("host", "127.0.0.1:8080")])
def test_a_rule_carries_it(traced: Traced, words: tuple[str, ...]) -> None:
    report = traced(*words)
    assert report["verdict"]["outcome"] == "delivered"
    assert report["publication"]["carriage"] == "translated"
    request = report["paths"][0]["hops"]
    before = {each["before"] for hop in request for each in hop["rewrites"] if each["field"] == "destination"}
    assert {each.rpartition(":")[2] for each in before} == {"8080"}
    assert request[-1]["point"] == "web/eth0"
    assert request[-1]["destination"].endswith(":80")
    (translation,) = report["translations"]
    assert translation["sandbox"] == "host"
    assert translation["original"]["destination"].endswith(":8080")
    assert translation["reply"]["source"] == request[-1]["destination"]
    assert "-j DNAT --to-destination" in translation["rules"][0]["text"]
    assert {each["owner"] for each in translation["rules"]} == {"engine"}
    assert ids(report) == {}


def test_a_container_asks_itself_through_the_host(alone: PrivateEngine, traced: Traced) -> None:
    report = traced("web", "gateway:8080")
    assert report["verdict"]["outcome"] == "delivered"
    assert ids(report)["published-port-hairpin"]["severity"] == "note"
    (translation,) = report["translations"]
    assert [each["text"].partition(" -j ")[2].split()[0] for each in translation["rules"]] == ["DNAT", "MASQUERADE"]
    assert any(each.startswith("conntrack of host: ") for each in ids(report)["published-port-hairpin"]["evidence"])
    (port,) = {hop["interface"] for hop in report["paths"][0]["hops"] if hop["interface"].startswith("veth")}
    in_engine(alone, f"bridge link set dev {port} hairpin off")
    try:
        report = traced("web", "gateway:8080")
        assert report["verdict"]["outcome"] == "lost"
        finding = ids(report)["published-port-hairpin"]
        assert finding["severity"] == "error"
        assert finding["remedy"] == [f"bridge link set dev {port} hairpin on"]
        in_engine(alone, finding["remedy"][0])
        assert traced("web", "gateway:8080")["verdict"]["outcome"] == "delivered"
    finally:
        in_engine(alone, f"bridge link set dev {port} hairpin on")


def test_another_network_is_kept_apart_on_this_way_too(alone: PrivateEngine, traced: Traced) -> None:
    report = traced("far", "gateway:8080")
    assert report["verdict"]["outcome"] in {"lost", "dropped"}
    finding = ids(report)["published-port-filtered"]
    connect, again = finding["remedy"]
    subprocess.run(["sh", "-c", connect], check=True, env={**os.environ, "DOCKER_HOST": alone.url})
    try:
        words = shlex.split(again)
        assert words[:2] == ["dnetsniff", "trace"]
        assert traced(*words[2:])["verdict"]["outcome"] == "delivered"
    finally:
        alone.docker("network", "disconnect", "other", "web")


@pytest.mark.parametrize(
    ("add", "chain", "remedy"),
    [
        ("-I DOCKER-USER -p tcp --dport 80 -j DROP", "DOCKER-USER", "iptables -I DOCKER-USER 1 -s {near} -d {web}"),
        ("-I DOCKER-USER -d {web} -j DROP", "DOCKER-USER", "iptables -D DOCKER-USER -d {web}/32 -j DROP"),
        ("-t raw -I PREROUTING -p tcp --dport 8080 -j DROP", "PREROUTING", "iptables -t raw -I PREROUTING 1 -s {near}"),
    ],
)
def test_a_rule_in_its_way_is_named_and_passed(
    alone: PrivateEngine, traced: Traced, *, add: str, chain: str, remedy: str
) -> None:
    ends = {name: address(alone, name) for name in ("near", "web")}
    saved = alone.type("iptables-save")
    # What no neighbour cache knows takes another way through the bridge.
    alone.type("ip neigh flush dev docker0")
    alone.type(f"iptables {add.format(**ends)}")
    try:
        report = traced("near", "gateway:8080")
        verdict = report["verdict"]
        assert (verdict["outcome"], verdict["rule"]["chain"], verdict["rule"]["owner"]) == ("dropped", chain, "user")
        (finding,) = report["findings"]
        assert (finding["id"], finding["confidence"]) == ("published-port-filtered", "certain")
        assert any(verdict["rule"]["text"] in each for each in finding["evidence"])
        assert finding["remedy"][0].startswith(remedy.format(**ends))
        for line in finding["remedy"]:
            alone.type(line)
        assert traced("near", "gateway:8080")["verdict"]["outcome"] == "delivered"
    finally:
        # Restoring leaves a table alone that was not there.
        alone.type("iptables -t raw -F")
        subprocess.run(["ip", "netns", "exec", alone.name, "iptables-restore"], input=saved, text=True, check=True)


def address(engine: PrivateEngine, name: str) -> str:
    return engine.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)


def in_engine(engine: PrivateEngine, command: str) -> None:
    """Type a command on the engine's host."""
    subprocess.run(["ip", "netns", "exec", engine.name, *shlex.split(command)], check=True)
