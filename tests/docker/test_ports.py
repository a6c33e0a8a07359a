"""TCP and UDP on a live engine: who accepted, who refused, and what a published port is carried by."""

import shlex
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import Ran, dnetsniff, docker
from services import resetting_in, serving

from inspector.archive import load
from inspector.pipeline import review
from inspector.render.report_json import to_dict

pytestmark = pytest.mark.docker

Run = Callable[..., Ran]


def told(ran: Ran) -> dict[str, Any]:
    assert ran.out, ran.err
    found = ran.json
    assert isinstance(found, dict)
    return found


def traced(run: Run, *words: str) -> dict[str, Any]:
    return told(run("trace", *words, "--format", "json", "--no-lookup"))


def segments(report: dict[str, Any]) -> list[tuple[str, str | None, bool]]:
    return [(each["direction"], each["segment"], each["proxied"]) for each in report["paths"]]


def ids(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in report["findings"]}


def typed(command: str) -> Ran:
    """Run a remedy as it is printed."""
    words = shlex.split(command, comments=True)
    if words[0] == "dnetsniff":
        return dnetsniff(*words[1:])
    subprocess.run(command, shell=True, check=True)
    return Ran(0, "", "")


def points(report: dict[str, Any], segment: str) -> list[str]:
    path = next(each for each in report["paths"] if each["segment"] == segment)
    return [hop["point"] for hop in path["hops"] if hop["seen"]]


def test_a_connection_is_seen_on_every_hop_and_again_from_the_recording(
    run: Run, extra: Callable[..., str], tmp_path: Path
) -> None:
    extra("dn-a")
    extra("dn-b")
    with serving("dn-b", 8080):
        report = told(
            run("trace", "dn-a", "dn-b:8080", "--no-lookup", "--format", "json", "-w", str(tmp_path / "kept"))
        )
    assert report["question"] == {
        "source": "dn-a",
        "destination": "dn-b",
        "protocol": "tcp",
        "port": 8080,
        "count": 3,
    }
    assert report["verdict"]["outcome"] == "delivered"
    assert segments(report) == [("request", "SYN", False), ("reply", "SYN-ACK", False)] * 3
    assert [each.split("/")[0] for each in points(report, "SYN")] == ["dn-a", "host", "host", "host", "dn-b"]
    assert points(report, "SYN-ACK") == points(report, "SYN")[::-1]
    assert report["paths"][0]["hops"][0]["destination"].endswith(":8080")
    assert not ids(report)
    assert to_dict(review(load(tmp_path / "kept"))) == report
    comments = subprocess.check_output(
        ["tshark", "-r", str(tmp_path / "kept" / "frames.pcapng"), "-T", "fields", "-e", "frame.comment"],
        text=True,
        stderr=subprocess.DEVNULL,
    )
    assert "request 1 (SYN), hop 1 of 5: out at dn-a/eth0" in comments
    assert "answer 1 (SYN-ACK), hop 5 of 5: in at dn-a/eth0" in comments


def test_a_closed_port_and_the_one_that_is_open(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-a")
    extra("dn-b")
    with serving("dn-b", 80):
        report = traced(run, "dn-a", "dn-b:8080")
        assert report["verdict"]["outcome"] == "rejected"
        assert segments(report)[1] == ("reply", "RST", False)
        assert points(report, "RST")[0] == "dn-b/eth0"
        assert set(ids(report)) == {"port-closed"}
        assert "0.0.0.0:80" in ids(report)["port-closed"]["evidence"][1]
        (remedy,) = ids(report)["port-closed"]["remedy"]
        assert remedy.startswith("dnetsniff trace dn-a dn-b:80 ")
        assert typed(remedy).status == 0


def test_a_service_on_loopback_is_told_and_mended(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-a")
    extra("dn-b")
    with serving("dn-b", 8080, "127.0.0.1"):
        report = traced(run, "dn-a", "dn-b:8080")
    assert set(ids(report)) == {"bound-to-loopback"}
    (remedy,) = ids(report)["bound-to-loopback"]["remedy"]
    assert remedy == "have the service listen on 0.0.0.0:8080 instead of 127.0.0.1:8080"
    with serving("dn-b", 8080):
        assert traced(run, "dn-a", "dn-b:8080")["verdict"]["outcome"] == "delivered"


def test_a_filter_in_the_destination_is_told_from_a_closed_port(run: Run, extra: Callable[..., str]) -> None:
    """Its rule is named, whether it swallows or refuses."""
    extra("dn-a")
    extra("dn-b")
    for rule, outcome, found in (("drop", "dropped", {"drop"}), ("reject with tcp reset", "rejected", {"reject"})):
        with serving("dn-b", 8080), filtered("dn-b", rule):
            report = traced(run, "dn-a", "dn-b:8080", "-c", "1", "-W", "0.3")
        assert report["verdict"]["outcome"] == outcome
        assert set(ids(report)) == {f"firewall-{each}" for each in found}


def test_a_service_that_resets_what_it_accepted(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-a")
    extra("dn-b")
    with resetting_in(docker("inspect", "-f", "{{.State.Pid}}", "dn-b"), 8080):
        report = traced(run, "dn-a", "dn-b:8080", "-c", "2")
    assert report["verdict"]["outcome"] == "rejected"
    assert points(report, "RST")[0] == "dn-b/eth0"
    finding = ids(report)["connection-reset"]
    assert set(ids(report)) == {"connection-reset"}
    assert (finding["severity"], finding["confidence"]) == ("error", "certain")
    assert finding["evidence"] == [
        "2 of 2 connections were accepted and then reset",
        "the RST was first seen at dn-b/eth0",
    ]
    assert finding["remedy"] == ["docker logs --tail 20 dn-b"]
    typed(finding["remedy"][0])
    with serving("dn-b", 8080):
        assert traced(run, "dn-a", "dn-b:8080", "-c", "1")["verdict"]["outcome"] == "delivered"


@contextmanager
def filtered(name: str, rule: str) -> Iterator[None]:
    ruleset = f"table ip dn {{ chain c {{ type filter hook input priority 0; tcp dport 8080 {rule}; }}; }}"
    words = ["nsenter", "-t", docker("inspect", "-f", "{{.State.Pid}}", name), "-n", "nft"]
    subprocess.run([*words, ruleset], check=True)
    try:
        yield
    finally:
        subprocess.run([*words, "delete table ip dn"], check=True)


def test_datagrams(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-a")
    extra("dn-b")
    with serving("dn-b", 5353, udp=True):
        report = traced(run, "dn-a", "dn-b:5353/udp")
    assert report["question"]["protocol"] == "udp"
    assert report["verdict"]["outcome"] == "delivered"
    assert segments(report)[:2] == [("request", "UDP", False), ("reply", "UDP", False)]
    report = traced(run, "dn-a", "dn-b:5353/udp", "-c", "1")
    assert report["verdict"]["outcome"] == "rejected"
    assert segments(report)[1][1] == "Destination Port Unreachable"
    assert set(ids(report)) == {"port-closed"}


def test_ipv6(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    network("dn-six", "--ipv6", "--subnet", "fd00:d0c:6::/64")
    extra("dn-a", "--network", "dn-six")
    extra("dn-b", "--network", "dn-six")
    address = docker("inspect", "-f", '{{(index .NetworkSettings.Networks "dn-six").GlobalIPv6Address}}', "dn-b")
    with serving("dn-b", 8080, "::"):
        report = traced(run, "dn-a", f"[{address}]:8080", "-W", "3")
    assert report["verdict"]["outcome"] == "delivered"
    assert report["paths"][0]["hops"][0]["destination"] == f"[{address}]:8080"
    report = traced(run, "dn-a", f"[{address}]:8080", "-W", "3")
    assert set(ids(report)) == {"port-closed"}


def test_the_host_and_containers_ask_each_other(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-a")
    extra("dn-side", "--network", "container:dn-a")
    with serving("dn-a", 8080):
        for words in (("host", "dn-a:8080"), ("tomcat02", "dn-side:8080"), ("dn-side", "dn-a:8080")):
            assert traced(run, *words, "-c", "1")["verdict"]["outcome"] == "delivered", words
    report = traced(run, "dn-a", "gateway:9", "-c", "1")
    assert report["verdict"]["summary"].startswith("host:9 refused: its own stack answered RST")


def test_two_at_once_do_not_take_each_other_s_packets(run: Run, extra: Callable[..., str]) -> None:
    extra("dn-a")
    extra("dn-b")
    found: list[dict[str, Any]] = []
    with serving("dn-b", 8080):
        threads = [
            threading.Thread(target=lambda: found.append(traced(run, "dn-a", "dn-b:8080", "-c", "5"))) for _ in range(2)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert [each["statistics"]["received"] for each in found] == [5, 5]
    assert all(len(each["paths"]) == 10 and len(path["hops"]) == 5 for each in found for path in each["paths"])


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("word", ["tomcat02:0", "tomcat02:x", "tomcat02/udp", "[x]:80", "tomcat02:80:90"])
def test_a_bad_port_is_one_sentence(run: Run, word: str) -> None:
    ran = run("trace", "tomcat01", word)
    assert (ran.status, ran.err.count("\n"), ran.out) == (2, 1, "")


def test_a_published_port_by_the_host_s_loopback(run: Run, extra: Callable[..., str]) -> None:
    """The engine's proxy carries it, or, without one, a rule: either way the container's answer decides."""
    extra("dn-web", "-p", "127.0.0.1:18080:80", "-p", "127.0.0.1:18081:81")
    lines = run("ls").out.splitlines()
    assert "  127.0.0.1:18080 -> dn-web:80/tcp" in lines
    assert "  127.0.0.1:18081 -> dn-web:81/tcp" in lines
    with serving("dn-web", 80):
        report = traced(run, "host", "127.0.0.1:18080")
        assert report["verdict"]["outcome"] == "delivered"
        assert report["publication"]["container"] == "dn-web"
        assert report["publication"]["carriage"] in {"proxy", "translated"}
        if report["publication"]["carriage"] == "proxy":
            assert segments(report)[:4] == [
                ("request", "SYN", False),
                ("reply", "SYN-ACK", False),
                ("request", "SYN", True),
                ("reply", "SYN-ACK", True),
            ]
            assert set(ids(report)) == {"published-port-proxy"}
        report = traced(run, "host", "127.0.0.1:18081", "-c", "1")
        assert report["verdict"]["outcome"] == "rejected", "accepted by the proxy is not accepted by the container"
        (remedy,) = ids(report)["port-closed"]["remedy"]
        assert remedy.startswith("dnetsniff trace host dn-web:80 ")
        assert typed(remedy.replace("trace host", "trace --no-lookup host")).status == 0


def test_a_published_port_by_the_host_s_address(run: Run, extra: Callable[..., str]) -> None:
    gateway = docker("inspect", "-f", "{{.NetworkSettings.Networks.bridge.Gateway}}", "tomcat02")
    extra("dn-web", "-p", f"{gateway}:18080:80")
    with serving("dn-web", 80):
        report = traced(run, "host", f"{gateway}:18080")
        assert report["verdict"]["outcome"] == "delivered"
        if report["publication"]["carriage"] == "translated":
            first = report["paths"][0]["hops"][0]
            address = report["publication"]["address"]
            assert first["rewrites"] == [
                {"field": "destination", "before": f"{gateway}:18080", "after": f"{address}:80"}
            ]
        for source in ("tomcat02", "dn-web"):
            report = traced(run, source, f"{gateway}:18080", "-c", "1")
            assert report["verdict"]["outcome"] == "delivered", source
            assert points(report, "SYN")[0] == f"{source}/eth0"
