"""What the stacks go by, in words: routes consulted, policy rules, settings, links."""

from state_cases import consulted
from topologies import change_link, delivered, planned, read

from inspector.model.routing import RouteAnswer, RoutingRecord, StackSetting
from inspector.model.topology import HOST
from inspector.pipeline import review

WORLD = read("two-networks.toml")


def test_links_are_told_with_their_port_state_and_size() -> None:
    world = change_link(change_link(WORLD, "host/veth-db", mtu=1400), "db/eth0", running=False)
    texts = [each.text for each in review(delivered(world, planned(world, "web", "db"))).state]
    assert texts == [
        "web/eth0: up, mtu 1500",
        "host/veth-web: up, port 1 of docker0, forwarding, mtu 1500",
        "host/docker0: up, mtu 1500",
        "host/veth-db: up, port 2 of docker0, forwarding, mtu 1400",
        "db/eth0: up, no carrier, mtu 1500",
    ]


def test_routes_rules_and_settings_are_told() -> None:
    plain = consulted("0: from all lookup local", "99: from 192.168.0.3 lookup 7")
    refused = RouteAnswer(plain.answers[0].query, error=101, why="Network is unreachable")
    settings = (
        StackSetting(HOST, "net.ipv4.ip_forward", "1"),
        StackSetting(HOST, "net/ipv4/conf/docker0/rp_filter", "2"),
        StackSetting(HOST, "net/ipv4/conf/gone/rp_filter", None),
    )
    routing = RoutingRecord((*plain.answers, refused), plain.rules, settings)
    texts = [each.text for each in review(delivered(WORLD, planned(WORLD, "web", "db"), routing=routing)).state]
    assert texts[:4] == [
        "both: ip route get 172.17.0.2 from 192.168.0.3: 172.17.0.2 dev eth0 src 172.17.0.4",
        "both: ip route get 172.17.0.2 from 192.168.0.3: Network is unreachable",
        "both: ip rule 99: from 192.168.0.3 lookup 7",
        "host: net.ipv4.ip_forward 1, docker0.rp_filter 2",
    ]
