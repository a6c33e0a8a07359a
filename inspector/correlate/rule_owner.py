"""Say whose a firewall rule is, as far as evidence goes. Pure.

1. The engine's: it names one of the engine's bridges or a container's address, and stands where the engine keeps such
   rules: in a chain called after it, or in the very form that the engine writes into a base chain.
2. ufw, firewalld and kube-proxy call their chains or tables after themselves.
3. Whoever has a rule in the chain that the engine leaves to the user is the user. The rest is nobody's we know.
"""

import re
from collections.abc import Iterator

from inspector.model.rules import Chain, ChainRule
from inspector.model.topology import HOST, Topology
from inspector.model.walk import ENGINE, FIREWALLD, KUBE_PROXY, UFW, UNKNOWN, USER

_LEFT_TO_USER = "DOCKER-USER"
_ENGINE_CHAINS = re.compile(r"(DOCKER|NETAVARK|CNI)\b|(DOCKER|NETAVARK|CNI)[-_]")
_GUARD = re.compile(r"-d (?P<address>\S+)/(?:32|128) ! -i (?P<bridge>\S+) -j DROP")
"""What Docker 28 writes into raw PREROUTING: only its own bridge may send to a container's address."""


def owner_of(rule: ChainRule, chain: Chain, topology: Topology) -> str:
    """Return one of the words of inspector.model.walk."""
    name, table = chain.key.chain, chain.key.table
    if name == _LEFT_TO_USER:
        return USER
    if name.startswith(("ufw-", "ufw6-")):
        return UFW
    if table == "firewalld":
        return FIREWALLD
    if name.startswith("KUBE-"):
        return KUBE_PROXY
    if _ENGINE_CHAINS.match(name) and any(_names(rule.text, each) for each in _engine_words(topology)):
        return ENGINE
    guard = _GUARD.fullmatch(rule.text)
    if guard and _guards(topology, guard["address"], guard["bridge"]):
        return ENGINE
    return UNKNOWN


def _engine_words(topology: Topology) -> Iterator[str]:
    """Yield what only the engine's networks have: bridges, subnets, addresses."""
    for network in topology.networks:
        bridge = topology.link(network.bridge)
        if bridge and bridge.key.sandbox == HOST:
            yield bridge.name
        yield from (str(each.prefix) for each in network.subnets)
    for container in topology.containers:
        yield from (address for endpoint in container.endpoints for address in endpoint.addresses if address)


def _names(text: str, word: str) -> bool:
    return word in {each.strip('"') for each in re.split(r"[\s,]+", text)} or f" {word}/" in f" {text}"


def _guards(topology: Topology, address: str, bridge: str) -> bool:
    """Whether the address is a container's on the network with this bridge."""
    for container in topology.containers:
        for endpoint in container.endpoints:
            network = topology.network(endpoint.network)
            link = topology.link(network.bridge) if network else None
            if address in endpoint.addresses and link and link.name == bridge:
                return True
    return False
