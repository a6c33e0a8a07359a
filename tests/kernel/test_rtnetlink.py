"""rtnetlink is asked by a plain socket: what it says of a world that the test made, and what it refuses."""

import subprocess
import sys

import pytest
from lab import Lab

from inspector import netns
from inspector.discover.kernel import read_stack
from inspector.discover.rtnetlink import Rtnetlink
from inspector.model.topology import HOST, LinkKind, SandboxId

pytestmark = pytest.mark.kernel


def test_links_addresses_and_routes_are_those_of_the_namespace(world: Lab) -> None:
    def visit() -> tuple[set[str], set[str], set[str]]:
        with Rtnetlink() as kernel:
            links = {each.get("ifname") for each in kernel.links()}
            addresses = {each.get("address") for each in kernel.addresses()}
            gateways = {each.get("gateway") for each in kernel.routes() if each.get("gateway")}
        return links, addresses, gateways

    links, addresses, gateways = netns.enter(world.fds["a"], visit)
    assert {"lo", "eth0"} <= links
    assert {"10.99.0.2", "fd99::2"} <= addresses
    assert gateways == {"10.99.0.1"}


def test_a_bridge_tells_what_is_behind_its_ports(world: Lab) -> None:
    def visit() -> set[int]:
        with Rtnetlink() as kernel:
            return {each["ifindex"] for each in kernel.forwarding() if each.get("master")}

    assert {world.index("s", "va"), world.index("s", "vb")} <= netns.enter(world.fds["s"], visit)


def test_a_neighbour_that_was_put_there_is_listed(world: Lab) -> None:
    def visit() -> dict[str, str]:
        with Rtnetlink() as kernel:
            return {each.get("dst"): each.get("lladdr") for each in kernel.neighbours()}

    assert netns.enter(world.fds["a"], visit)["10.99.0.99"] == "02:00:00:00:00:99"


def test_namespaces_have_numbers_and_their_links_can_be_asked_for_from_outside(world: Lab) -> None:
    def visit() -> tuple[int | None, int | None, str]:
        with Rtnetlink() as kernel:
            near = next(each for each in kernel.links() if each.get("ifname") == "va")
            number = kernel.namespace_number(world.fds["a"])
            assert near.get("link_netnsid") == number
            assert number is not None
            return (
                number,
                kernel.namespace_number(world.fds["s"]),
                kernel.link_elsewhere(near.get("link"), number).get("ifname"),
            )

    number, own, name = netns.enter(world.fds["s"], visit)
    assert (name, own) == ("eth0", None)
    assert number is not None


def test_what_the_kernel_refuses_is_an_error_with_its_words() -> None:
    with Rtnetlink() as kernel:
        with pytest.raises(OSError, match=r"Invalid argument|No such device"):
            kernel.link_elsewhere(999_999, 77)
        assert kernel.links(), "and the socket is still good"


def test_the_rest_of_the_library_is_left_out_and_can_still_be_had() -> None:
    program = (
        "import sys; from inspector.discover import rtnetlink; rtnetlink.load(); "
        "assert 'pyroute2.netlink.rtnl.ifinfmsg' in sys.modules; "
        "assert not {'asyncio', 'pyroute2', 'pyroute2.ndb.main'} & set(sys.modules), 'too much'; "
        "from pyroute2 import IPRoute; print(IPRoute.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "IPRoute"


def test_a_macvlan_link_names_its_parent_and_how_it_shares_it(world: Lab) -> None:
    world.ip("s", f"link add mv0 link br0 netns {world.names['a']} type macvlan mode private")
    try:
        fact = netns.enter(world.fds["a"], lambda: read_stack(SandboxId("a"), 1, {HOST: world.fds["s"]}))
    finally:
        world.ip("a", "link del mv0")
    (link,) = [each for each in fact.links if each.name == "mv0"]
    assert (link.kind, link.mode, link.peer_ifindex) == (LinkKind.MACVLAN, "private", world.index("s", "br0"))
    assert dict(fact.nsids)[link.peer_nsid or 0] == HOST
