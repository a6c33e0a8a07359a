"""Whose a rule is: only as far as its words and its place go."""

import pytest
from firewalls import chain
from topologies import read

from inspector.correlate.rule_owner import owner_of

WORLD = read("two-networks.toml")


@pytest.mark.parametrize(
    ("place", "text", "owner"),
    [
        ("filter DOCKER-ISOLATION-STAGE-2", "-o br-mynet -j DROP", "engine"),
        ("filter DOCKER", "-d 172.17.0.2/32 ! -i docker0 -o docker0 -p tcp -m tcp --dport 80 -j ACCEPT", "engine"),
        ("filter DOCKER-ISOLATION-STAGE-2", "-o br-other -j DROP", "unknown"),
        ("filter DOCKER-USER", "-i docker0 -j DROP", "user"),
        ("filter FORWARD", "-i docker0 -j DROP", "unknown"),
        ("raw PREROUTING", "-d 192.168.0.2/32 ! -i br-mynet -j DROP", "engine"),
        ("raw PREROUTING", "-d 192.168.0.2/32 ! -i docker0 -j DROP", "unknown"),
        ("raw PREROUTING", "-d 192.168.0.77/32 ! -i br-mynet -j DROP", "unknown"),
        ("filter DOCKERED", "-i docker0 -j DROP", "unknown"),
        ("filter ufw-user-forward", "-j DROP", "ufw"),
        ("firewalld filter_FORWARD", "reject with icmpx admin-prohibited", "firewalld"),
        ("filter KUBE-FORWARD", "-j DROP", "kube-proxy"),
        ("fw forward", "ip daddr 192.168.0.2 drop", "unknown"),
    ],
)
def test_whose_a_rule_is(place: str, text: str, owner: str) -> None:
    kept = chain(place, {1: text})
    assert owner_of(kept.rules[0], kept, WORLD) == owner
