"""A namespace that no process is in is found by its mount and by the number that a container has for it."""

import os
import subprocess
from collections.abc import Iterator
from ipaddress import ip_interface

import pytest
from msgspec.structs import replace
from session_tag import new_tag

from inspector import netns
from inspector.discover.facts import LinkFact, StackFact
from inspector.discover.hidden import open_hidden
from inspector.discover.kernel import read_stacks
from inspector.model.topology import HOST, Container, Endpoint, LinkKind, Mode, Network, SandboxId

WEB = SandboxId("web")
OVER = Network("id", "over", "overlay")
MEMBER = Container("id", "web", "running", Mode.OWN, WEB, endpoints=(Endpoint("over", ("10.0.9.3",), None),))


@pytest.fixture
def place() -> Iterator[tuple[str, str]]:
    """Two namespaces with a veth pair between them, neither with a process inside."""
    if os.geteuid():
        pytest.skip("needs root")
    near, far = (f"dntest-{new_tag()}" for _ in "12")
    lines = (
        f"ip netns add {near}", f"ip netns add {far}",
        f"ip -n {near} link add eth0 type veth peer name veth0 netns {far}",
        f"ip -n {near} addr add 10.0.9.3/24 dev eth0",
        f"ip -n {far} link add vxlan0 type vxlan id 4097 dstport 4790 local 10.0.9.1",
        f"ip -n {far} link add br0 type bridge",
        f"bridge -n {far} fdb append 02:42:0a:00:09:05 dev vxlan0 dst 192.0.2.2",
    )  # fmt: skip
    try:
        for line in lines:
            subprocess.run(line.split(), check=True)
        yield near, far
    finally:
        for name in (near, far):
            subprocess.run(["ip", "netns", "del", name], check=False)


def opened(name: str) -> netns.Namespace:
    descriptor = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    return netns.Namespace(descriptor, os.fstat(descriptor).st_ino)


def test_it_is_found_and_told_of(place: tuple[str, str]) -> None:
    near, far = place
    with opened(near) as web, opened(far) as right:
        facts = read_stacks(((WEB, web),))
        found = open_hidden(lambda: None, {WEB: web}, facts, (OVER,), (MEMBER,))
        assert {name: each.inode for name, each in found.items()} == {"overlay over": right.inode}
        (hidden,) = read_stacks(((WEB, web), *found.items()), found)
        for each in found.values():
            each.close()
    assert dict(hidden.nsids) == {number: WEB for number, _ in hidden.nsids}
    (mouth,) = (each for each in hidden.links if each.kind is LinkKind.VXLAN)
    assert mouth.tunnel
    assert (mouth.tunnel.number, mouth.tunnel.port) == (4097, 4790)
    assert [(each.mac, each.node) for each in hidden.remotes if each.ifindex == mouth.ifindex] == [
        ("02:42:0a:00:09:05", "192.0.2.2")
    ]


@pytest.mark.parametrize("network", [Network("id", "over", "bridge"), Network("id", "other", "overlay")])
def test_another_network_s_is_not_looked_for(place: tuple[str, str], network: Network) -> None:
    near, _ = place
    with opened(near) as web:
        assert not open_hidden(lambda: None, {WEB: web}, read_stacks(((WEB, web),)), (network,), (MEMBER,))


def test_a_process_that_is_gone_has_nothing_mounted() -> None:
    address = ip_interface("10.0.9.3/24")
    link = LinkFact(2, "eth0", LinkKind.VETH, True, True, 1450, "", 3, 0, None, None, True, 0, (address,))  # noqa: FBT003
    stack = StackFact(WEB, 1, (link,))
    with netns.own() as own:
        assert not open_hidden(lambda: 2**22 + 1, {WEB: own}, (stack,), (OVER,), (MEMBER,))
        assert not open_hidden(lambda: None, {HOST: own}, (replace(stack, sandbox=HOST),), (OVER,), (MEMBER,))
