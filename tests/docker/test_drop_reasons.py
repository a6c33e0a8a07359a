"""What the kernel drops on a real engine, and why, in a namespace where nobody else is asked."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import dnetsniff
from private_engine import PrivateEngine, private_engine

from inspector.archive import load
from inspector.pipeline import review

pytestmark = [pytest.mark.docker, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def routed() -> Iterator[PrivateEngine]:
    """Start an engine that keeps no networks apart, with `far` on one network and `near` on two others."""
    with private_engine("--iptables=false") as engine:
        for name in ("one", "two", "three"):
            engine.docker("network", "create", name)
        engine.start("far", "near")
        engine.docker("network", "connect", "one", "far")
        engine.docker("network", "disconnect", "bridge", "far")
        for name in ("two", "three"):
            engine.docker("network", "connect", name, "near")
        engine.docker("network", "disconnect", "bridge", "near")
        yield engine


def traced(engine: PrivateEngine, *words: str) -> tuple[int, dict[str, Any]]:
    ran = dnetsniff("--host", engine.url, "trace", *words, "--no-lookup", "--format", "json")
    return ran.status, json.loads(ran.out)


def second_address(engine: PrivateEngine) -> tuple[str, str]:
    """Return the interface of `near` that has not its default route, and the address there."""
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "near")
    inside = ["nsenter", "-t", pid, "-n", "ip", "-j"]
    default = json.loads(subprocess.check_output([*inside, "route", "show", "default"]))[0]["dev"]
    links = json.loads(subprocess.check_output([*inside, "-4", "addr"]))
    return next(
        (each["ifname"], each["addr_info"][0]["local"]) for each in links if each["ifname"] not in {"lo", default}
    )


def test_the_reverse_path_filter_is_named_and_its_remedy_works(routed: PrivateEngine) -> None:
    interface, address = second_address(routed)
    assert traced(routed, "far", address)[0] == 0
    pid = routed.docker("inspect", "-f", "{{.State.Pid}}", "near")
    setting = f"net.ipv4.conf.{interface}.rp_filter"
    subprocess.run(["nsenter", "-t", pid, "-n", "sysctl", "-w", f"{setting}=1"], check=True)
    status, report = traced(routed, "far", address, "-W", "0.3")
    assert status == 1
    verdict = report["verdict"]
    assert (verdict["outcome"], verdict["reason"]) == ("dropped", "IP_RPFILTER")
    assert verdict["last_seen"] == f"near/{interface}"
    finding = next(each for each in report["findings"] if each["id"] == "rp-filter-drop")
    assert finding["confidence"] == "likely"
    assert f"/proc/sys of near: {setting} = 1" in finding["evidence"]
    (remedy,) = finding["remedy"]
    assert remedy.endswith(f"sysctl -w {setting}=2")
    subprocess.run(
        remedy, shell=True, check=True, env={"DOCKER_HOST": routed.url, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    assert traced(routed, "far", address)[0] == 0


def test_a_firewall_s_drop_is_told_by_its_reason(routed: PrivateEngine, tmp_path: Path) -> None:
    rule = ["ip", "netns", "exec", routed.name, "iptables", "-w"]
    near = routed.docker("inspect", "-f", "{{.NetworkSettings.Networks.two.IPAddress}}", "near")
    subprocess.run([*rule, "-I", "FORWARD", "-d", near, "-j", "DROP"], check=True)
    try:
        status, report = traced(routed, "far", near, "-W", "0.3", "--no-rule-trace", "-w", str(tmp_path / "kept"))
    finally:
        subprocess.run([*rule, "-D", "FORWARD", "-d", near, "-j", "DROP"], check=True)
    assert status == 1
    assert report["verdict"]["reason"] == "NETFILTER_DROP"
    assert b"; dropped behind here: NETFILTER_DROP in " in (tmp_path / "kept" / "frames.pcapng").read_bytes()
    assert review(load(tmp_path / "kept")).verdict.summary == report["verdict"]["summary"]
    assert report["verdict"]["outcome"] == "dropped"
    assert report["verdict"]["rule"] is None, "nobody asked the kernel for it"
    assert "a firewall rule dropped it" in report["verdict"]["summary"]


@pytest.mark.parametrize("port", ["9", "9/udp"])
def test_a_probe_of_a_port_has_its_reason_too(routed: PrivateEngine, port: str) -> None:
    interface, address = second_address(routed)
    pid = routed.docker("inspect", "-f", "{{.State.Pid}}", "near")
    setting = f"net.ipv4.conf.{interface}.rp_filter"
    subprocess.run(["nsenter", "-t", pid, "-n", "sysctl", "-qw", f"{setting}=1"], check=True)
    try:
        status, report = traced(routed, "far", f"{address}:{port}", "-W", "0.3", "-c", "1")
    finally:
        subprocess.run(["nsenter", "-t", pid, "-n", "sysctl", "-qw", f"{setting}=2"], check=True)
    assert (status, report["verdict"]["outcome"], report["verdict"]["reason"]) == (1, "dropped", "IP_RPFILTER")
    assert "rp-filter-drop" in [each["id"] for each in report["findings"]]


@pytest.mark.parametrize("port", ["9", "9/udp"])
def test_a_rule_that_drops_a_probe_of_a_port(routed: PrivateEngine, port: str) -> None:
    rule = ["ip", "netns", "exec", routed.name, "iptables", "-w"]
    near = routed.docker("inspect", "-f", "{{.NetworkSettings.Networks.two.IPAddress}}", "near")
    subprocess.run([*rule, "-I", "FORWARD", "-d", near, "-j", "DROP"], check=True)
    try:
        _, report = traced(routed, "far", f"{near}:{port}", "-W", "0.3", "-c", "1", "--no-rule-trace")
    finally:
        subprocess.run([*rule, "-D", "FORWARD", "-d", near, "-j", "DROP"], check=True)
    assert (report["verdict"]["outcome"], report["verdict"]["reason"]) == ("dropped", "NETFILTER_DROP")


@pytest.mark.parametrize("port", ["9", "9/udp"])
def test_nobody_listens_and_the_refusal_is_kept_back(routed: PrivateEngine, port: str) -> None:
    """The rule is about the refusal, and the kernel still says that no socket took the probe."""
    near = routed.docker("inspect", "-f", "{{.NetworkSettings.Networks.two.IPAddress}}", "near")
    pid = routed.docker("inspect", "-f", "{{.State.Pid}}", "near")
    rule = ["nsenter", "-t", pid, "-n", "iptables", "-w"]
    words = ["OUTPUT", *(("-p", "icmp") if "udp" in port else ("-p", "tcp")), "-j", "DROP"]
    subprocess.run([*rule, "-A", *words], check=True)
    try:
        _, report = traced(routed, "far", f"{near}:{port}", "-W", "0.3", "-c", "1", "--no-rule-trace")
    finally:
        subprocess.run([*rule, "-D", *words], check=True)
    assert (report["verdict"]["outcome"], report["verdict"]["reason"]) == ("dropped", "NO_SOCKET")
    (finding,) = [each for each in report["findings"] if each["id"] == "port-closed"]
    assert finding["evidence"][0] == "the kernel's drop reason: NO_SOCKET; no refusal came back"


@pytest.mark.parametrize("more", [(), ("--passive",)])
def test_a_host_that_does_not_route_is_told_by_its_reason(routed: PrivateEngine, more: tuple[str, ...]) -> None:
    """Listening for reasons inserts nothing, so --passive listens, too."""
    near = routed.docker("inspect", "-f", "{{.NetworkSettings.Networks.two.IPAddress}}", "near")
    sysctl = ["ip", "netns", "exec", routed.name, "sysctl", "-w"]
    subprocess.run([*sysctl, "net.ipv4.ip_forward=0"], check=True)
    try:
        status, report = traced(routed, "far", near, "-W", "0.3", *more)
    finally:
        subprocess.run([*sysctl, "net.ipv4.ip_forward=1"], check=True)
    assert status == 1
    assert report["verdict"]["reason"] == "IP_INADDRERRORS"
    finding = next(each for each in report["findings"] if each["id"] == "ip-forward-off")
    assert "the kernel's drop reason: IP_INADDRERRORS" in finding["evidence"]
