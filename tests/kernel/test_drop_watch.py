"""The kernel says why it drops the probes: real faults in namespaces, and a busy machine beside them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from lab import Lab, run
from msgspec.structs import replace
from test_session import carry_out, plan_to

from inspector import tracing
from inspector.capture import drop_watch
from inspector.capture.drop_watch import PLACE, DropWatch
from inspector.correlate.correlation import correlate
from inspector.model.question import Heading, Step
from inspector.model.recording import Recording, Sent
from inspector.model.report import Outcome, Verdict
from inspector.model.topology import BlindSpot
from inspector.tracing import TracingError

pytestmark = pytest.mark.kernel

FLOOD = """
import contextlib, os, socket
os.sched_setaffinity(0, os.sched_getaffinity(os.getppid()))
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
print("y", flush=True)
while True:
    with contextlib.suppress(PermissionError):
        sock.sendto(b"x" * 100, ("127.0.0.1", 9))
"""


def lost(world: Lab, destination: str = "10.99.0.3", **asked: object) -> Recording:
    """Send two probes that nobody will answer, over a way that is known."""
    plan = plan_to(world, destination, **{"count": 2, "timeout_s": 0.1, **asked})
    a, va, br0, vb, b = plan.points
    steps = (
        *(Step(a, Heading.OUT), Step(va, Heading.IN), Step(br0, Heading.IN), Step(vb, Heading.OUT)),
        Step(b, Heading.IN),
    )
    recording = carry_out(world, replace(plan, request=steps))
    assert [type(each) for each in recording.probes] == [Sent] * plan.question.count
    # On a busy machine the kernel may tell more than fits.
    assert {each.point for each in recording.blind_spots} <= {PLACE}
    return recording


def verdict(recording: Recording) -> Verdict:
    return correlate(recording).verdict


@contextmanager
def firewalled(world: Lab, place: str, family: int = 4) -> Iterator[None]:
    program = "iptables" if family == 4 else "ip6tables"
    protocol = "icmp" if family == 4 else "icmpv6"
    kind = "--icmp-type" if family == 4 else "--icmpv6-type"
    rule = f"INPUT -p {protocol} {kind} echo-request -j DROP"
    inside = f"ip netns exec {world.names[place]}"
    run(f"{inside} {program} -w -A {rule}")
    try:
        yield
    finally:
        # Without the rule its chains would stay, and another test's probes be traced there.
        run(f"{inside} nft flush ruleset")


@contextmanager
def kernel_setting(world: Lab, place: str, setting: str) -> Iterator[None]:
    """Set `name=value` in a namespace for a while."""
    name = setting.partition("=")[0]
    inside = f"ip netns exec {world.names[place]} sysctl -q"
    before = run(f"{inside} -n {name}").strip()
    run(f"{inside} -w {setting}")
    try:
        yield
    finally:
        run(f"{inside} -w {name}={before}")


@contextmanager
def busy(world: Lab, chain: str = "INPUT") -> Iterator[None]:
    """Have the kernel drop datagrams by a firewall rule, as fast as one process sends them, in the namespace of `b`."""
    inside = f"ip netns exec {world.names['b']}"
    rule = f"{chain} -p udp --dport 9 -j DROP"
    run(f"{inside} iptables -w -A {rule}")
    words = [*inside.split(), sys.executable, "-c", FLOOD]
    flood = subprocess.Popen(words, stdout=subprocess.PIPE)
    try:
        assert flood.stdout is not None
        assert flood.stdout.read(1) == b"y"
        yield
    finally:
        flood.kill()
        flood.communicate()
        run(f"{inside} nft flush ruleset")


@pytest.fixture(autouse=True)
def _acquainted(world: Lab) -> None:
    """Let the two ends know each other's MAC address: nothing here is about ARP."""
    for destination in ("10.99.0.3", "fd99::3"):
        run(f"ip netns exec {world.names['a']} ping -c1 -W1 {destination}")


@pytest.mark.parametrize(("destination", "family"), [("10.99.0.3", 4), ("fd99::3", 6)])
def test_a_firewall_s_drop_is_the_verdict_s_reason(world: Lab, destination: str, family: int) -> None:
    with firewalled(world, "b", family):
        recording = lost(world, destination)
    found = verdict(recording)
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "NETFILTER_DROP")
    assert found.summary.endswith("/eth0; the kernel says NETFILTER_DROP (likely): a firewall rule dropped it")
    # Not the copies that the bridge's own stack drops, since it is promiscuous while we listen.
    assert {(each.reception.interface, each.reason) for each in recording.drops if each.reception} == {
        ("eth0", "NETFILTER_DROP")
    }


def test_a_drop_by_the_reverse_path_filter_is_told(world: Lab) -> None:
    world.ip("b", "route add blackhole 10.99.0.2/32")
    try:
        with kernel_setting(world, "b", "net.ipv4.conf.eth0.rp_filter=1"):
            found = verdict(lost(world))
    finally:
        world.ip("b", "route del blackhole 10.99.0.2/32")
    assert (found.outcome, found.reason) == (Outcome.DROPPED, "IP_RPFILTER")


@pytest.fixture
def _one_cpu() -> Iterator[None]:
    """Stay on one CPU, with all that is started meanwhile: what one frees there, the other gets at once."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    yield
    os.sched_setaffinity(0, allowed)


@pytest.mark.usefixtures("_one_cpu")
@pytest.mark.parametrize("chain", ["INPUT", "OUTPUT"])
def test_other_drops_of_a_busy_machine_are_no_cause(world: Lab, chain: str) -> None:
    """The probes are taken in and forgotten there; their buffers are used again at once for what is dropped."""
    with kernel_setting(world, "b", "net.ipv4.icmp_echo_ignore_all=1"), busy(world, chain):
        recording = lost(world, count=10, timeout_s=0.05)
    found = verdict(recording)
    assert found.outcome is not Outcome.DROPPED
    assert found.reason is None


def test_a_busy_machine_does_not_hide_the_cause(world: Lab) -> None:
    with firewalled(world, "b"), busy(world):
        recording = lost(world, count=3)
    found = verdict(recording)
    assert (found.outcome, found.reason) in {(Outcome.DROPPED, "NETFILTER_DROP"), (Outcome.UNANSWERED, None)}


def test_an_answered_trace_keeps_no_drops(world: Lab) -> None:
    recording = carry_out(world, plan_to(world))
    assert recording.drops == ()
    assert recording.blind_spots == ()


def test_without_the_right_to_look_it_is_a_blind_spot(world: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise TracingError(1, "perf events are refused: Operation not permitted")

    monkeypatch.setattr(drop_watch, "TraceEvent", refuse)
    assert carry_out(world, plan_to(world)).blind_spots == ()
    recording = lost(world, "10.99.0.99", count=1)
    assert recording.blind_spots == (BlindSpot(PLACE, "perf events are refused: Operation not permitted"),)


def test_a_kernel_without_reasons_says_so(world: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "read_tracepoints", lambda _: {})
    watch = DropWatch(plan_to(world))
    watch.begin()
    assert (watch.drops(), list(watch.descriptors())) == ((), [])
    assert [each.why for each in watch.blind_spots] == ["this kernel gives none (Linux 5.17 is the first that does)"]
    watch.finish()()


def test_it_hears_while_it_attends_and_not_at_rest(world: Lab) -> None:
    watch = DropWatch(plan_to(world))
    watch.begin()
    heard = []
    with firewalled(world, "b"):
        for change in (lambda: None, watch.attend, watch.rest, watch.attend):
            change()
            ping = ["ip", "netns", "exec", world.names["a"], "ping", "-c1", "-W0.1", "10.99.0.3"]
            assert subprocess.run(ping, stdout=subprocess.DEVNULL, check=False).returncode == 1
            watch.take()
            heard.append(any(watch._taken))
            watch._taken.clear()
    watch.finish()()
    assert heard == [False, True, False, True]


def test_a_kernel_s_function_is_named(world: Lab) -> None:
    with firewalled(world, "b"):
        recording = lost(world, count=1)
    (dropped,) = [each for each in recording.drops if each.reason == "NETFILTER_DROP"]
    assert dropped.where.startswith(("nf_", "nft_", "ip", "0x"))
    assert dropped.ethertype == 0x0800


def tracing_mounts() -> list[str]:
    return [
        line for line in Path("/proc/mounts").read_text().splitlines() if " tracefs " in line or " debugfs " in line
    ]


def test_nothing_survives_a_kill(world: Lab) -> None:
    """A mount or an instance would; what is tied to descriptors cannot."""
    mounts = tracing_mounts()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        watch = DropWatch(plan_to(world))
        watch.begin()
        os.write(writing, b"y" if list(watch.descriptors()) else b"n")
        signal.pause()
    try:
        assert os.read(reading, 1) == b"y"
        assert tracing_mounts() == mounts
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(reading)
        os.close(writing)
    assert tracing_mounts() == mounts
    assert not list(Path("/sys/kernel/tracing").glob("instances/*"))
