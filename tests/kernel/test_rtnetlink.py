"""rtnetlink is asked by a plain socket: what it says of a world that the test made, and what it refuses."""

import subprocess
import sys
from pathlib import Path

import pytest
from lab import Lab

from inspector import netns
from inspector.discover.kernel import NDA_DST, NDA_LLADDR, NDA_MASTER, RTA_GATEWAY, read_settings, read_stack
from inspector.discover.links import IFA_ADDRESS, IFLA_IFNAME, IFLA_LINK, IFLA_LINK_NETNSID
from inspector.discover.rtnetlink import Rtnetlink
from inspector.model.topology import HOST, LinkKind, SandboxId
from inspector.wire.stack_messages import address, mac, name, number

pytestmark = pytest.mark.kernel


def test_links_addresses_and_routes_are_those_of_the_namespace(world: Lab) -> None:
    def visit() -> tuple[set[bytes | None], set[str | None], set[str]]:
        with Rtnetlink() as kernel:
            links = {name(each.attributes, IFLA_IFNAME) for each in kernel.links()}
            addresses = {address(each.attributes, IFA_ADDRESS) for each in kernel.addresses()}
            gateways = {found for each in kernel.routes() if (found := address(each.attributes, RTA_GATEWAY))}
        return links, addresses, gateways

    links, addresses, gateways = netns.enter(world.fds["a"], visit)
    assert {b"lo", b"eth0"} <= links
    assert {"10.99.0.2", "fd99::2"} <= addresses
    assert gateways == {"10.99.0.1"}


def test_a_bridge_tells_what_is_behind_its_ports(world: Lab) -> None:
    def visit(bridge: int | None) -> set[int]:
        with Rtnetlink() as kernel:
            return {
                each.fields[1] for each in kernel.forwarding(bridge) if number(each.attributes, NDA_MASTER) is not None
            }

    ports = {world.index("s", "va"), world.index("s", "vb")}
    world.ip("s", "link add other0 type bridge")
    try:
        assert ports <= netns.enter(world.fds["s"], lambda: visit(None))
        assert ports <= netns.enter(world.fds["s"], lambda: visit(world.index("s", "br0")))
        assert not ports & netns.enter(world.fds["s"], lambda: visit(world.index("s", "other0")))
    finally:
        world.ip("s", "link del other0")


def test_a_neighbour_that_was_put_there_is_listed(world: Lab) -> None:
    def visit() -> dict[str | None, str | None]:
        with Rtnetlink() as kernel:
            listed = [each.attributes for each in kernel.neighbours()]
            return {address(each, NDA_DST): mac(each, NDA_LLADDR) for each in listed}

    assert netns.enter(world.fds["a"], visit)["10.99.0.99"] == "02:00:00:00:00:99"


def test_namespaces_have_numbers_and_their_links_can_be_asked_for_from_outside(world: Lab) -> None:
    def visit() -> tuple[int | None, int | None, bytes | None]:
        with Rtnetlink() as kernel:
            near = next(each.attributes for each in kernel.links() if name(each.attributes, IFLA_IFNAME) == b"va")
            there = kernel.namespace_number(world.fds["a"])
            assert number(near, IFLA_LINK_NETNSID) == there
            assert there is not None
            # To ask for a link elsewhere gives the asking namespace a number of its own.
            own = kernel.namespace_number(world.fds["s"])
            far = kernel.link_elsewhere(number(near, IFLA_LINK) or 0, there)
            return there, own, name(far.attributes, IFLA_IFNAME)

    there, own, found = netns.enter(world.fds["s"], visit)
    assert (found, own) == (b"eth0", None)
    assert there is not None


def test_settings_that_come_with_a_link_are_those_of_its_file(world: Lab) -> None:
    def visit() -> tuple[str | None, str | None]:
        names = ("net.ipv4.conf.eth0.rp_filter",)
        Path("/proc/sys/net/ipv4/conf/eth0/rp_filter").write_text("2")
        told = {each.name: each.value for each in read_stack(SandboxId("a"), 1, ()).settings}
        return told[names[0]], read_settings(names)[0].value

    assert netns.enter(world.fds["a"], visit) == ("2", "2")


def test_what_the_kernel_refuses_is_an_error_with_its_words() -> None:
    with Rtnetlink() as kernel:
        with pytest.raises(OSError, match=r"Invalid argument|No such device"):
            kernel.link_elsewhere(999_999, 77)
        assert kernel.links(), "and the socket is still good"


def test_the_rest_of_the_library_is_left_out_and_can_still_be_had() -> None:
    program = (
        "import sys; from inspector.discover import rtnetlink; rtnetlink.load(); "
        "assert 'pyroute2.netlink.rtnl.rtmsg' in sys.modules; "
        "assert not {'asyncio', 'pyroute2', 'pyroute2.ndb.main'} & set(sys.modules), 'too much'; "
        "from pyroute2 import IPRoute; print(IPRoute.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "IPRoute"


def test_a_macvlan_link_names_its_parent_and_how_it_shares_it(world: Lab) -> None:
    world.ip("s", f"link add mv0 link br0 netns {world.names['a']} type macvlan mode private")
    try:
        fact = netns.enter(world.fds["a"], lambda: read_stack(SandboxId("a"), 1, ((HOST, world.fds["s"]),)))
    finally:
        world.ip("a", "link del mv0")
    (link,) = [each for each in fact.links if each.name == "mv0"]
    assert (link.kind, link.mode, link.peer_ifindex) == (LinkKind.MACVLAN, "private", world.index("s", "br0"))
    assert dict(fact.nsids)[link.peer_nsid or 0] == HOST
