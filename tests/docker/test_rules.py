"""Rules that stop a packet on a live engine: named as their owner's tool prints them, and nothing of ours is left."""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from capabilities import keep_capabilities
from commands import PROGRAM, docker
from private_engine import checked, wait_until
from session_tag import undone
from upstream_place import Upstream

from inspector.api import load, review
from inspector.discover.engine import Engine
from inspector.discover.survey import host_namespace

pytestmark = [pytest.mark.docker, pytest.mark.usefixtures("course")]

Run = Callable[..., Any]
HostTool = Callable[[str], str]
QUICK = ("--no-lookup", "-c", "1", "-W", "0.5")
OURS = "dnetsniff-"


@pytest.fixture
def on_host(engine: Engine) -> Iterator[HostTool]:
    """Run a tool in the network namespace of the engine's host; afterwards no table of ours is there."""
    with host_namespace(engine) as host:

        def tool(command: str) -> str:
            words = ["nsenter", f"--net=/proc/self/fd/{host.fd}", *command.split()]
            done = subprocess.run(words, capture_output=True, text=True, check=False, pass_fds=[host.fd])
            assert done.returncode == 0, f"{command}: {done.stderr}"
            return done.stdout

        yield tool
        assert OURS not in tool("nft list tables")


def in_container(name: str, command: str) -> str:
    pid = docker("inspect", "-f", "{{.State.Pid}}", name)
    return checked("nsenter", "-t", pid, "-n", *command.split())


def address_of(name: str) -> str:
    return docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", name)


@contextmanager
def rule(tool: HostTool, words: str, program: str = "iptables") -> Iterator[None]:
    """Have a rule at the head of its chain for a while."""
    undo = f"{program} -w -D {words}"
    with undone(undo):
        tool(f"{program} -w -I {words}")
        try:
            yield
        finally:
            tool(undo)


def traced(run: Run, *words: str, status: int = 1) -> Any:
    ran = run("trace", *words, *QUICK, "--format", "json")
    assert ran.status == status, ran.out + ran.err
    return ran.json


def saved_line(tool: HostTool, found: Any) -> str:
    """Return what iptables-save prints at the place that the verdict names."""
    lines = tool(f"iptables-save -t {found['table']}").splitlines()
    return [each for each in lines if each.startswith(f"-A {found['chain']} ")][found["position"] - 1]


def test_isolation_is_the_engines_and_certain(run: Run, on_host: HostTool) -> None:
    report = traced(run, "tomcat01", "mynet-tomcat01")
    verdict = report["verdict"]
    assert verdict["outcome"] == "dropped"
    assert re.fullmatch(
        r"on the host, after (docker0|veth\w+), by rule \d+ of \d+ in (raw|filter) \S+ \(the engine's\)",
        verdict["summary"],
    )
    assert verdict["rule"]["owner"] == "engine"
    assert saved_line(on_host, verdict["rule"]) == f"-A {verdict['rule']['chain']} {verdict['rule']['text']}"
    finding = next(each for each in report["findings"] if each["id"] == "networks-isolated")
    assert finding["confidence"] == "certain"
    assert verdict["rule"]["text"] in finding["evidence"][0]
    met = report["paths"][0]["rules"][-1]
    assert {key: met[key] for key in verdict["rule"]} == verdict["rule"]
    assert (met["sandbox"], met["verdict"]) == ("host", "drop")
    assert met["hook"] in {"prerouting", "forward"}
    last = report["paths"][0]["hops"][met["after_hop"]]
    assert last["point"] == verdict["last_seen"]
    assert any("nf_tables table" in each for each in report["side_effects"])
    assert report["blind_spots"] == []
    expected = report["prediction"]
    assert expected["outcome"] == "dropped"
    assert expected["why"].endswith(
        f"rule {met['position']} of {len_of(on_host, met)} in {met['table']} {met['chain']} stops it"
    )
    assert report["disagreements"] == []


def len_of(tool: HostTool, met: Any) -> int:
    """Return how many rules the chain has."""
    lines = tool(f"iptables-save -t {met['table']}").splitlines()
    return sum(each.startswith(f"-A {met['chain']} ") for each in lines)


def test_a_screen_shows_the_rule_between_two_hops(run: Run) -> None:
    for more in ((), ("-v",)):
        shown = run("trace", "tomcat01", "mynet-tomcat01", *QUICK, *more).out.splitlines()
        at = next(number for number, line in enumerate(shown) if re.search(r"rule \d+ of \d+   -\S+ .*DROP", line))
        assert shown[at].startswith("    ")
        assert any("not seen" in line for line in shown[at + 1 :])
        assert all(len(line) <= 100 for line in shown if line.startswith("    "))


def test_a_rule_of_the_user_is_the_users(run: Run, on_host: HostTool, upstream: Upstream) -> None:
    source = address_of("tomcat01")
    with rule(on_host, f"DOCKER-USER -s {source}/32 -d {upstream.address}/32 -j DROP"):
        verdict = traced(run, "tomcat01", upstream.address)["verdict"]
        assert saved_line(on_host, verdict["rule"]).endswith(verdict["rule"]["text"])
    assert verdict["outcome"] == "dropped"
    assert verdict["rule"]["text"] == f"-s {source}/32 -d {upstream.address}/32 -j DROP"
    assert (verdict["rule"]["chain"], verdict["rule"]["owner"]) == ("DOCKER-USER", "user")
    assert "by rule 1 of " in verdict["summary"]
    assert traced(run, "tomcat01", upstream.address, status=0)["verdict"]["rule"] is None


def test_a_rule_that_rejects_stands_beside_the_answer(run: Run, on_host: HostTool, upstream: Upstream) -> None:
    words = f"DOCKER-USER -s {address_of('tomcat01')}/32 -d {upstream.address}/32 -j REJECT"
    with rule(on_host, words):
        verdict = traced(run, "tomcat01", upstream.address)["verdict"]
    assert verdict["outcome"] == "rejected"
    assert "REJECT" in verdict["rule"]["text"]
    assert verdict["reason"] in verdict["summary"]


@pytest.mark.parametrize("by", ["a rule", "the policy"])
def test_a_native_table_is_told_apart(run: Run, on_host: HostTool, upstream: Upstream, by: str) -> None:
    source, table = address_of("tomcat01"), f"dntest{os.getpid()}"
    policy = "drop" if by == "the policy" else "accept"
    undo = f"nft delete table ip {table}"
    with ExitStack() as after:
        after.enter_context(undone(undo))
        on_host(f"nft add table ip {table}")
        after.callback(on_host, undo)
        on_host(f"nft add chain ip {table} f {{ type filter hook forward priority -10 ; policy accept ; }}")
        if by == "a rule":
            on_host(f"nft add rule ip {table} f ip protocol tcp counter")
            on_host(f"nft add rule ip {table} f ip saddr {source} ip daddr {upstream.address} drop")
        else:
            on_host(f"nft add rule ip {table} f ip saddr != {source} accept")
            on_host(f"nft add rule ip {table} f ip daddr != {upstream.address} accept")
            on_host(f"nft add chain ip {table} f {{ policy {policy} ; }}")
        verdict = traced(run, "tomcat01", upstream.address)["verdict"]
    named, whose = ("rule 2 of 2 in", " (the user's)") if by == "a rule" else ("the policy of", "")
    assert verdict["summary"] == f"on the host, after docker0, by {named} {table} f{whose}"
    assert (verdict["rule"]["table"], verdict["rule"]["position"]) == (table, 2 if by == "a rule" else 0)


@pytest.mark.parametrize(
    ("who", "chain", "place"),
    [
        ("tomcat02", "INPUT", "in tomcat02, after eth0"),
        ("tomcat02", "OUTPUT", "the answer, in tomcat02, before eth0"),
        ("tomcat01", "INPUT", "the answer, in tomcat01, after eth0"),
        ("tomcat01", "OUTPUT", "in tomcat01, before eth0"),
    ],
)
def test_a_rule_in_a_containers_own_stack(run: Run, on_host: HostTool, who: str, chain: str, place: str) -> None:
    def tool(command: str) -> str:
        return in_container(who, command)

    with rule(tool, f"{chain} -p icmp -j DROP"):
        report = traced(run, "tomcat01", "tomcat02")
        assert OURS not in tool("nft list tables")
    verdict = report["verdict"]
    assert verdict["outcome"] == "dropped"
    assert verdict["summary"] == f"{place}, by rule 1 of 1 in filter {chain} (the user's)"
    assert verdict["rule"]["text"] == "-p icmp -j DROP"


def test_ipv6(run: Run, extra: Callable[..., str], network: Callable[..., str]) -> None:
    network("dn-six", "--ipv6", "--subnet", "fd00:dead:beef::/64")
    for name in ("dn-six1", "dn-six2"):
        extra(name, "--network", "dn-six")

    def tool(command: str) -> str:
        return in_container("dn-six2", command)

    with rule(tool, "INPUT -p ipv6-icmp -m icmp6 --icmpv6-type 128 -j DROP", program="ip6tables"):
        verdict = traced(run, "dn-six1", "dn-six2", "-6")["verdict"]
    assert verdict["outcome"] == "dropped"
    assert verdict["summary"] == "in dn-six2, after eth0, by rule 1 of 1 in filter INPUT (the user's)"
    assert verdict["rule"]["family"] == "ip6"


@pytest.mark.parametrize("option", ["--no-rule-trace", "--passive"])
def test_nothing_is_inserted_where_that_is_not_wanted(run: Run, option: str) -> None:
    report = traced(run, "tomcat01", "mynet-tomcat01", option)
    assert not any("nf_tables" in each for each in report["side_effects"])
    verdict = report["verdict"]
    # The kernel's reason is heard without inserting anything: it does not say which rule.
    assert (verdict["outcome"], verdict["rule"], verdict["reason"]) == ("dropped", None, "NETFILTER_DROP")
    assert all(path["rules"] == [] for path in report["paths"])


def test_without_the_privilege_the_trace_goes_on(run: Run) -> None:
    cap_net_raw, cap_sys_ptrace, cap_sys_admin = 13, 19, 21
    words = ("trace", "tomcat01", "tomcat02", *QUICK, "--format", "json")
    ran = run(*words, preexec_fn=lambda: keep_capabilities(cap_net_raw, cap_sys_ptrace, cap_sys_admin))
    assert ran.status == 0, ran.err
    spots = {each["point"]: each["why"] for each in ran.json["blind_spots"]}
    assert "CAP_NET_ADMIN is missing" in spots["rules of host"]
    assert not any("nf_tables" in each for each in ran.json["side_effects"])


def test_a_recording_carries_it_all(run: Run, tmp_path: Path) -> None:
    report = traced(run, "tomcat01", "mynet-tomcat01", "-w", str(tmp_path / "kept"))
    again = review(load(tmp_path / "kept")).to_dict()
    assert again["verdict"] == report["verdict"]
    assert again["paths"] == report["paths"]
    frames = (tmp_path / "kept/frames.pcapng").read_bytes()
    found = report["verdict"]["rule"]
    assert f"then dropped in host by rule {found['position']} of ".encode() in frames
    assert found["text"].encode() in frames


def test_a_killed_trace_leaves_no_table(on_host: HostTool) -> None:
    words = [*PROGRAM, "trace", "tomcat01", "tomcat02", "--no-lookup", "-c", "100", "-i", "0.2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        wait_until(lambda: OURS in on_host("nft list tables"), "no table of ours was made")
        process.send_signal(signal.SIGKILL)
    wait_until(lambda: OURS not in on_host("nft list tables"), "our table outlived us")
