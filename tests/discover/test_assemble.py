"""Facts are related as the kernel meant them, and left out where they fit nowhere."""

from ipaddress import ip_interface, ip_network
from typing import Any

from inspector.discover.assemble import assemble, fdb_of, neighbours_of
from inspector.discover.facts import LinkFact, NeighbourFact, RouteFact, StackFact
from inspector.model.topology import (
    HOST,
    Container,
    Endpoint,
    EngineIdentity,
    LinkKey,
    LinkKind,
    Mode,
    Network,
    SandboxId,
    Setting,
    Subnet,
    Topology,
)

WEB, DB = SandboxId("web"), SandboxId("db")
MAC = "02:42:ac:11:00:02"
MYNET = Network("id", "mynet", "bridge", (Subnet(ip_network("172.17.0.0/16"), "172.17.0.1"),))


def fact(ifindex: int, name: str, kind: LinkKind = LinkKind.VETH, *addresses: str, **more: Any) -> LinkFact:
    told: dict[str, Any] = {
        "up": True,
        "running": True,
        "mtu": 1500,
        "mac": f"02:00:00:00:00:{ifindex:02x}",
        "peer_ifindex": None,
        "peer_nsid": None,
        "master": None,
        "port": None,
        "forwarding": True,
        "promiscuity": 0,
        "addresses": tuple(ip_interface(each) for each in addresses),
    }
    return LinkFact(ifindex, name, kind, **(told | more))


BRIDGE = fact(3, "docker0", LinkKind.BRIDGE, "172.17.0.1/16")
PORT = fact(5, "veth5", peer_ifindex=2, peer_nsid=7, master=3, port=1)
INSIDE = fact(2, "eth0", LinkKind.VETH, "172.17.0.2/16", peer_ifindex=5, peer_nsid=0, mac=MAC)


def container(name: str = "web", **more: Any) -> Container:
    told: dict[str, Any] = {"endpoints": (Endpoint("mynet", ("172.17.0.2",), MAC),), "sandbox": None}
    return Container(f"id-{name}", name, "running", Mode.OWN, **(told | more))


def host(*links: LinkFact, nsids: tuple[tuple[int, SandboxId], ...] = ((7, WEB),), **more: Any) -> StackFact:
    return StackFact(HOST, 1, links, nsids=nsids, **more)


def web(*links: LinkFact, nsids: tuple[tuple[int, SandboxId], ...] = ((0, HOST),)) -> StackFact:
    return StackFact(WEB, 2, links, nsids=nsids)


def related(*stacks: StackFact, named: str | None = "docker0", **more: Any) -> Topology:
    told: dict[str, Any] = {"containers": [container()], "owners": {"web": WEB}}
    return assemble(engine=EngineIdentity("Test", "1"), networks=[(MYNET, named)], stacks=stacks, **(told | more))


def peers(topology: Topology) -> tuple[LinkKey | None, LinkKey | None]:
    near, far = topology.link(LinkKey(HOST, 5)), topology.link(LinkKey(WEB, 2))
    return near.peer if near else None, far.peer if far else None


BOTH_WAYS = (LinkKey(WEB, 2), LinkKey(HOST, 5))


def test_peers_are_found_both_ways() -> None:
    assert peers(related(host(BRIDGE, PORT), web(INSIDE))) == BOTH_WAYS


def test_what_one_end_does_not_know_is_taken_from_the_other() -> None:
    assert peers(related(host(BRIDGE, PORT, nsids=()), web(INSIDE))) == BOTH_WAYS
    assert peers(related(host(BRIDGE, PORT), web(INSIDE, nsids=()))) == BOTH_WAYS


def test_the_order_of_the_stacks_is_of_no_account() -> None:
    assert peers(related(web(INSIDE), host(BRIDGE, PORT))) == BOTH_WAYS


def test_a_peer_that_was_not_surveyed_is_left_out_and_its_index_kept() -> None:
    link = related(host(BRIDGE, PORT)).link(LinkKey(HOST, 5))
    assert link
    assert (link.peer, link.peer_ifindex) == (None, 2)


def test_a_pair_in_one_stack_needs_no_number() -> None:
    topology = related(host(fact(8, "a", peer_ifindex=9), fact(9, "b", peer_ifindex=8)))
    first, second = topology.link(LinkKey(HOST, 8)), topology.link(LinkKey(HOST, 9))
    assert first
    assert second
    assert (first.peer, second.peer) == (second.key, first.key)


def test_a_port_knows_its_bridge_and_another_master_is_none() -> None:
    topology = related(
        host(BRIDGE, PORT, fact(6, "bonded", LinkKind.ETHERNET, master=9), fact(9, "bond0", LinkKind.OTHER))
    )
    port, bonded = topology.link(LinkKey(HOST, 5)), topology.link(LinkKey(HOST, 6))
    assert port
    assert bonded
    assert (port.bridge, port.port) == (LinkKey(HOST, 3), 1)
    assert bonded.bridge is None
    assert topology.ports(LinkKey(HOST, 3)) == (port,)


def test_the_bridge_is_found_by_name() -> None:
    other = fact(4, "br-other", LinkKind.BRIDGE, "172.17.0.1/16")
    assert related(host(other, BRIDGE)).networks[0].bridge == LinkKey(HOST, 3)


def test_the_bridge_is_found_by_the_gateway_address_where_the_name_differs() -> None:
    other = fact(4, "br-other", LinkKind.BRIDGE, "10.0.0.1/8")
    assert related(host(other, BRIDGE), named="br-0123").networks[0].bridge == LinkKey(HOST, 3)
    assert related(host(other, BRIDGE), named=None).networks[0].bridge == LinkKey(HOST, 3)


def test_a_bridge_without_name_or_address_is_the_one_that_the_members_hang_on() -> None:
    bare = fact(3, "odd0", LinkKind.BRIDGE)
    other = fact(4, "docker0", LinkKind.BRIDGE, "172.18.0.1/16")
    assert related(host(other, bare, PORT), web(INSIDE), named=None).networks[0].bridge == LinkKey(HOST, 3)
    assert related(host(other, bare), web(INSIDE), named=None).networks[0].bridge is None


def test_a_far_end_in_a_namespace_of_nobody_s_is_a_blind_spot() -> None:
    """As with rootless Podman, whose bridges are in a namespace beside the one of its service."""
    elsewhere = fact(2, "eth0", LinkKind.VETH, "172.17.0.2/16", peer_ifindex=5, peer_nsid=4, mac=MAC)
    (spot,) = related(host(), web(elsewhere, nsids=())).blind_spots
    assert spot.point == "web/eth0, far end"
    assert "the bridge of mynet" in spot.why
    assert related(host(BRIDGE, PORT), web(INSIDE)).blind_spots == ()


def test_a_network_without_a_bridge_has_none() -> None:
    wire = fact(4, "eth0", LinkKind.ETHERNET, "172.17.0.1/16")
    assert related(host(wire)).networks[0].bridge is None
    assert related(web(INSIDE)).networks[0].bridge is None


def test_a_bystander_is_named_by_its_mac() -> None:
    far = fact(2, "eth0", mac=MAC)
    topology = related(host(BRIDGE, PORT, nsids=(), bystanders=((5, far),)), owners={})
    stack = topology.sandbox(WEB)
    assert stack
    assert (stack.inode, [each.name for each in stack.links]) == (0, ["eth0"])
    assert peers(topology) == BOTH_WAYS
    assert topology.containers[0].endpoints[0].link == LinkKey(WEB, 2)
    assert topology.containers[0].sandbox is None


def test_a_bystander_with_nobody_s_mac_is_left_out() -> None:
    topology = related(
        host(BRIDGE, PORT, nsids=(), bystanders=((5, fact(2, "eth0", mac="02:00:00:00:00:99")),)), owners={}
    )
    assert [each.id for each in topology.sandboxes] == [HOST]
    assert peers(topology) == (None, None)


def test_a_stack_that_was_entered_is_no_bystander() -> None:
    topology = related(host(BRIDGE, PORT, bystanders=((5, fact(2, "eth0", mac=MAC)),)), web(INSIDE))
    assert [each.id for each in topology.sandboxes] == [HOST, WEB]


def test_a_container_gets_its_sandbox_and_its_link() -> None:
    known = related(host(BRIDGE, PORT), web(INSIDE)).containers[0]
    assert (known.sandbox, known.mode, known.endpoints[0].link) == (WEB, Mode.OWN, LinkKey(WEB, 2))


def test_a_container_in_the_host_s_stack_is_in_mode_host() -> None:
    known = related(host(BRIDGE), containers=[container(endpoints=())], owners={"web": HOST}).containers[0]
    assert (known.sandbox, known.mode) == (HOST, Mode.HOST)


def test_a_container_without_a_stack_has_no_link() -> None:
    known = related(host(BRIDGE), owners={}).containers[0]
    assert (known.sandbox, known.endpoints[0].link) == (None, None)


def test_routes_settings_neighbours_and_fdb_are_kept() -> None:
    route = RouteFact(ip_network("0.0.0.0/0"), "10.0.0.1", 2, 100, "10.0.0.5", local=False)
    talk = NeighbourFact(3, "172.17.0.2", MAC, "reachable")
    learned = NeighbourFact(5, None, MAC, "reachable", bridge=3, learned=True)
    setting = Setting("net.ipv4.ip_forward", "1")
    stack = related(host(BRIDGE, routes=(route,), neighbours=(talk,), fdb=(learned,), settings=(setting,))).sandboxes[0]
    assert (stack.routes[0].gateway, stack.routes[0].metric, stack.routes[0].source) == ("10.0.0.1", 100, "10.0.0.5")
    assert stack.neighbours == neighbours_of(HOST, [talk])
    assert (stack.neighbours[0].link, stack.neighbours[0].address) == (LinkKey(HOST, 3), "172.17.0.2")
    assert stack.fdb == fdb_of(HOST, [learned])
    assert (stack.fdb[0].bridge, stack.fdb[0].port, stack.fdb[0].learned) == (LinkKey(HOST, 3), LinkKey(HOST, 5), True)
    assert stack.settings == (setting,)


UPLINK = fact(2, "eth0", LinkKind.ETHERNET, "192.0.2.100/24")
SHARED = Network("id", "lan", "macvlan", (Subnet(ip_network("192.0.2.0/24"), "192.0.2.9"),))


def on_lan(**more: Any) -> Container:
    return container(endpoints=(Endpoint("lan", ("192.0.2.1",), MAC),), **more)


def child(**more: Any) -> LinkFact:
    told = {"peer_ifindex": 2, "peer_nsid": 0, "mac": MAC, "mode": "bridge"}
    return fact(7, "eth0", LinkKind.MACVLAN, "192.0.2.1/24", **(told | more))


def on_top(*stacks: StackFact) -> Topology:
    return assemble(
        engine=EngineIdentity("docker", "1"),
        networks=[(SHARED, None)],
        containers=[on_lan()],
        stacks=stacks,
        owners={"web": WEB},
    )


def test_a_macvlan_link_has_a_parent_and_no_peer() -> None:
    topology = on_top(host(UPLINK), web(child()))
    link = topology.link(LinkKey(WEB, 7))
    assert link
    assert (link.parent, link.peer, link.peer_ifindex, link.mode) == (LinkKey(HOST, 2), None, None, "bridge")
    assert topology.children(LinkKey(HOST, 2)) == (link,)
    assert topology.networks[0].parent == LinkKey(HOST, 2)


def test_a_parent_in_a_stack_that_was_not_looked_into_is_left_out() -> None:
    topology = on_top(host(UPLINK), web(child(peer_nsid=5)))
    assert topology.link(LinkKey(WEB, 7)) is not None
    assert topology.children(LinkKey(HOST, 2)) == ()
    assert topology.networks[0].parent is None


def test_a_vlan_link_has_a_parent_in_its_own_stack() -> None:
    topology = on_top(host(UPLINK, fact(9, "eth0.10", LinkKind.VLAN, peer_ifindex=2)))
    assert [each.name for each in topology.children(LinkKey(HOST, 2))] == ["eth0.10"]
