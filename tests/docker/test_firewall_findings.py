"""Faults made with firewall rules on a real engine: the rule is named, and what is printed mends it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from private_engine import PrivateEngine, checked, private_engine

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
MINE = "nft add table inet mine; nft 'add chain inet mine c {{ type filter hook forward priority 5; {policy} }}'; "


@pytest.fixture(scope="module")
def private() -> Iterator[PrivateEngine]:
    """Give an engine whose rules any test may spoil."""
    with private_engine() as made:
        made.start("left", "right")
        yield made


def on_host(private: PrivateEngine, command: str, *, check: bool = True) -> str:
    """Run a command where the engine's host is, as its administrator would."""
    words = ["nsenter", f"--net=/run/netns/{private.name}", "sh", "-c", command]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, "DOCKER_HOST": private.url}
    )
    assert done.returncode == 0 or not check, f"{command}: {done.stderr}"
    return done.stdout


@pytest.fixture
def spoilt(private: PrivateEngine) -> Iterator[Callable[[str], str]]:
    """Change the rules; afterwards they are again what they were."""
    saved = on_host(private, "iptables-nft-save 2>/dev/null")

    def change(command: str) -> str:
        for tool in ("iptables-legacy", "nft"):
            if tool in command and shutil.which(tool) is None:
                pytest.skip(f"needs {tool}")
        return on_host(private, command)

    yield change
    subprocess.run(
        ["nsenter", f"--net=/run/netns/{private.name}", "iptables-nft-restore"], input=saved, text=True, check=True
    )
    on_host(private, "iptables-legacy -F; iptables-legacy -P FORWARD ACCEPT; nft delete table inet mine", check=False)


def address(private: PrivateEngine, name: str) -> str:
    return private.docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}", name).split()[0]


def trace(run: Run, private: PrivateEngine, source: str = "left", target: str = "right") -> Any:
    return run(
        "--host", private.url, "trace", source, target, "--no-lookup", "-c", "1", "-W", "0.3", "--format", "json"
    )


def mended(run: Run, private: PrivateEngine, finding: Any, source: str = "left", target: str = "right") -> bool:
    """Do what is printed, as it is printed; say whether the next trace succeeds."""
    assert finding["remedy"]
    for command in finding["remedy"]:
        on_host(private, command)
    return trace(run, private, source, target).json["verdict"]["outcome"] == "delivered"


@pytest.mark.parametrize(
    ("change", "rule", "remedy"),
    [
        (
            "iptables -I DOCKER-USER -s {left} -d {right} -j DROP",
            ("ip", "filter", "DOCKER-USER", 1, "-s {left}/32 -d {right}/32 -j DROP"),
            "iptables -D DOCKER-USER -s {left}/32 -d {right}/32 -j DROP",
        ),
        (
            "iptables -I FORWARD 2 -p icmp -j DROP",
            ("ip", "filter", "FORWARD", 2, "-p icmp -j DROP"),
            "iptables -I FORWARD 2 -s {left} -d {right} -j ACCEPT",
        ),
        (
            "iptables -t raw -A PREROUTING -d {right} -m comment --comment 'not $(id)' -j DROP",
            ("ip", "raw", "PREROUTING", 1, '-d {right}/32 -m comment --comment "not $(id)" -j DROP'),
            "iptables -t raw -D PREROUTING 1",
        ),
        (
            "iptables -F FORWARD; iptables -P FORWARD DROP",
            ("ip", "filter", "FORWARD", 0, "policy drop"),
            "iptables -A FORWARD -s {left} -d {right} -j ACCEPT",
        ),
        (
            MINE + "nft add rule inet mine c ip daddr {right} counter drop",
            ("inet", "mine", "c", 1, "ip daddr {right} counter packets 1 bytes 84 drop"),
            "nft delete rule inet mine c handle 2",
        ),
        (
            MINE + "nft add rule inet mine c icmp type echo-request drop",
            ("inet", "mine", "c", 1, "icmp type echo-request drop"),
            "nft insert rule inet mine c handle 2 ip saddr {left} ip daddr {right} accept",
        ),
        (
            MINE.replace("{policy}", "policy drop;"),
            ("inet", "mine", "c", 0, "policy drop"),
            "nft add rule inet mine c ip saddr {left} ip daddr {right} accept",
        ),
    ],
)
def test_a_rule_of_the_user_is_named_and_way_is_made(
    run: Run,
    private: PrivateEngine,
    spoilt: Callable[[str], str],
    *,
    change: str,
    rule: tuple[str, str, str, int, str],
    remedy: str,
) -> None:
    change = change.replace("{policy}", "")
    ends = {name: address(private, name) for name in ("left", "right")}
    assert trace(run, private).json["findings"] == []
    spoilt(change.format(**ends))
    report = trace(run, private).json
    verdict = report["verdict"]
    assert verdict["outcome"] == "dropped", verdict
    told = verdict["rule"]
    *place, text = rule
    assert [told[each] for each in ("family", "table", "chain", "position", "text")] == [*place, text.format(**ends)]
    assert told["owner"] == ("user" if told["position"] else "unknown")
    finding = report["findings"][0]
    assert (finding["id"], finding["severity"], finding["confidence"]) == ("firewall-drop", "error", "certain")
    assert finding["remedy"][0] == remedy.format(**ends)
    assert mended(run, private, finding)


@pytest.mark.parametrize(
    ("change", "outcome", "expected"),
    [
        ("iptables -I FORWARD -p icmp -j REJECT --reject-with icmp-host-prohibited", "rejected", "firewall-reject"),
        (
            "iptables-legacy -A FORWARD -p icmp -j REJECT --reject-with icmp-host-prohibited",
            "rejected",
            "firewall-reject",
        ),
        ("iptables-legacy -A FORWARD -d {right} -p icmp -j DROP", "dropped", "firewall-backends-mixed"),
        ("iptables-legacy -P FORWARD DROP", "dropped", "firewall-backends-mixed"),
    ],
)
def test_rejections_and_legacy_rules(
    run: Run, private: PrivateEngine, spoilt: Callable[[str], str], *, change: str, outcome: str, expected: str
) -> None:
    spoilt(change.format(right=address(private, "right")))
    report = trace(run, private).json
    assert report["verdict"]["outcome"] == outcome
    assert report["verdict"]["rule"] is not None, report["verdict"]
    assert [each["id"] for each in report["findings"]] == [expected]
    finding = report["findings"][0]
    assert finding["confidence"] == ("likely" if "legacy" in change else "certain")
    assert mended(run, private, finding)


def test_what_a_legacy_rule_accepts_and_nf_tables_drops(
    run: Run, private: PrivateEngine, spoilt: Callable[[str], str]
) -> None:
    left, right = address(private, "left"), address(private, "right")
    spoilt(f"iptables-legacy -I FORWARD -s {left} -d {right} -j ACCEPT")
    assert trace(run, private).json["findings"] == []
    # At one priority it depends on the order in which they were loaded who is asked first.
    spoilt(MINE.format(policy="") + "nft add rule inet mine c icmp type echo-request drop")
    report = trace(run, private).json
    assert [each["id"] for each in report["findings"]] == ["firewall-backends-mixed"]
    (finding,) = report["findings"]
    assert finding["title"].endswith("a legacy rule accepts the packet, nf_tables drops it")
    assert f"-s {left}/32 -d {right}/32 -j ACCEPT" in finding["evidence"][1]
    assert mended(run, private, finding)


def test_a_rule_inside_a_container(run: Run, private: PrivateEngine, spoilt: Callable[[str], str]) -> None:
    del spoilt
    pid = private.docker("inspect", "-f", "{{.State.Pid}}", "right")
    inside = ["nsenter", "-n", "-t", pid]
    checked(*inside, "iptables", "-A", "INPUT", "-p", "icmp", "-j", "DROP")
    try:
        report = trace(run, private).json
        finding = report["findings"][0]
        assert (report["verdict"]["outcome"], finding["id"]) == ("dropped", "firewall-drop")
        assert "on right" in finding["title"]
        assert mended(run, private, finding)
    finally:
        checked(*inside, "iptables", "-F")


def test_containers_that_the_engine_keeps_apart(run: Run, private: PrivateEngine, spoilt: Callable[[str], str]) -> None:
    del spoilt
    private.docker("network", "create", "-o", "com.docker.network.bridge.enable_icc=false", "apart")
    try:
        for name in ("one", "two"):
            private.start(name)
            private.docker("network", "disconnect", "bridge", name)
            private.docker("network", "connect", "apart", name)
        report = trace(run, private, "one", "two").json
        assert report["verdict"]["outcome"] == "dropped", report["verdict"]
        assert report["verdict"]["rule"]["owner"] == "engine"
        finding = report["findings"][0]
        assert (finding["id"], finding["confidence"]) == ("icc-disabled", "certain")
        assert [each["id"] for each in report["findings"]] == ["icc-disabled"]
        assert mended(run, private, finding, "one", "two")
    finally:
        private.docker("rm", "-f", "one", "two")
        private.docker("network", "rm", "apart")
