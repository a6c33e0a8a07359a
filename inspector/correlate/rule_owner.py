"""Say whose a firewall rule is, as far as evidence goes. Pure.

1. A name alone proves nothing about the engine: a rule is the engine's where it names one of the engine's bridges, or
   carries on a port that the engine publishes, in a chain (or a table) that is called as engines call theirs; and what
   stands beside such rules without a condition of its own, too.
2. In a base chain, where everybody writes, it is the engine's in the very form that engines write there.
3. The chain that the engine's documentation leaves to the user is the user's, whatever a rule there names.
4. Programs that keep chains or tables for themselves call them after themselves: ufw, firewalld, kube-proxy...
5. Whatever else there is, somebody put it there who is none of these: the user, or a program on the user's behalf.
"""

import re
from collections.abc import Iterable, Iterator

from inspector.model.lookup import EMBEDDED_DNS
from inspector.model.rules import Chain, ChainRule
from inspector.model.topology import Container, Network, Topology
from inspector.model.walk import ENGINE, FIREWALLD, KUBE_PROXY, LIBVIRT, NETAVARK, UFW, UNKNOWN, USER

_LEFT_TO_USER = "DOCKER-USER"
"""docs.docker.com, "Packet filtering and firewalls": rules of the user's go there, ahead of the engine's."""
_ENGINE_NAMES = re.compile(r"(DOCKER|docker)([-_].*)?$")
_OTHERS = (
    (re.compile(r"ufw6?-"), re.compile(r"$^"), UFW),
    (
        re.compile(
            r"((INPUT|FORWARD|OUTPUT|P\w+ROUTING)_(direct|(IN_|OUT_)?ZONES|POLICIES)|(IN|FWD[IO]?|PRE|POST)_\w+_\w+)"
        ),
        re.compile(r"firewalld$"),
        FIREWALLD,
    ),
    (re.compile(r"KUBE-"), re.compile(r"kube-proxy$"), KUBE_PROXY),
    (re.compile(r"LIBVIRT_"), re.compile(r"libvirt"), LIBVIRT),
    (re.compile(r"(NETAVARK|CNI)[-_]"), re.compile(r"netavark$"), NETAVARK),
)
"""By name of a chain, and of a table."""
_INTERFACES = re.compile(r"(?:-i|-o|iifname|oifname) (?:!= )?\"?([^\s\"]+)\"?")
_ENGINE_WORDS = re.compile(rf"--match-set docker-\S+|-[sd] {re.escape(EMBEDDED_DNS)}/32")
"""Beside bridges: sets called like the engine, and the address of its name server."""
_UNCONDITIONAL = re.compile(r"(counter packets \d+ bytes \d+ )?(-j \S+|(jump|goto) \S+|return|accept|drop)?$")
_BASE_FORMS = (
    r"-o {bridge} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    r"-o {bridge} -j [\w-]+",
    r"-i {bridge} ! -o {bridge} -j (ACCEPT|[\w-]+)",
    r"-i {bridge} -o {bridge} -j ACCEPT",
    r"-s {subnet} ! -o {bridge} -j MASQUERADE",
    r"-d {address} ! -i {bridge} -j DROP",
    r"-o {bridge} -m addrtype --src-type LOCAL -j MASQUERADE",
)
"""What engines write into base chains for a network: into FORWARD (20.10), POSTROUTING, raw PREROUTING (28).

The last of them where the engine runs without its userland proxy.
"""
_ICC_OFF = r"-i {bridge} -o {bridge} -j DROP"
_HAIRPIN = re.compile(r"-s (?P<one>\S+)/(?:32|128) -d (?P=one)/(?:32|128) -p \w+ -m \w+ --dport \d+ -j MASQUERADE")
_PUBLISHED = re.compile(
    r"(-d \S+ )?(! -i \S+ )?-p (?P<protocol>\w+) -m \w+ --dport (?P<port>\d+) -j DNAT"
    r" --to-destination \[?(?P<address>[^\s\]]+?)\]?:(?P<target>\d+)"
)
_TO_LOCAL = re.compile(r"(! -d (127\.0\.0\.0/8|::1/128) )?-m addrtype --dst-type LOCAL -j (?P<chain>\S+)")
_JUMP = re.compile(r"-j (?P<chain>\S+)")


def owner_of(rule: ChainRule, chain: Chain, topology: Topology) -> str:
    """Return one of the words of inspector.model.walk."""
    name, table = chain.key.chain, chain.key.table
    if name == _LEFT_TO_USER:
        return USER if rule.text != "-j RETURN" else ENGINE
    for of_chain, of_table, owner in _OTHERS:
        if of_table.match(table) or of_chain.match(name):
            return owner
    if _ENGINE_NAMES.match(name) or _ENGINE_NAMES.match(table):
        return _among_engine_rules(rule, chain, topology)
    return ENGINE if chain.hook is not None and _written_by_engine(rule.text, topology) else USER


def _among_engine_rules(rule: ChainRule, chain: Chain, topology: Topology) -> str:
    """Judge a rule of a chain with a name that engines use: it has to be about the engine's bridges."""
    bridges = {name for name, _ in _bridges(topology)}
    if _interfaces(rule.text) & bridges or _ENGINE_WORDS.search(rule.text) or _publishes(rule.text, topology):
        return ENGINE
    if _UNCONDITIONAL.fullmatch(rule.text):
        known = any(_interfaces(each.text) & bridges for each in chain.rules)
        leads_on = _ENGINE_NAMES.match(rule.target) is not None
        return ENGINE if known or leads_on else UNKNOWN
    return UNKNOWN if _interfaces(rule.text) else USER


def _publishes(text: str, topology: Topology) -> bool:
    """Say whether a rule carries a port on just as the engine says that it does."""
    found = _PUBLISHED.fullmatch(text)
    return found is not None and any(
        (each.protocol, each.port, each.target) == (found["protocol"], int(found["port"]), int(found["target"]))
        for container in topology.containers
        if any(found["address"] in end.addresses for end in container.endpoints)
        for each in container.published
    )


def _written_by_engine(text: str, topology: Topology) -> bool:
    """Say whether a rule of a base chain has a form that an engine writes there, about a network of its own."""
    if text.startswith(f"-d {EMBEDDED_DNS}/32 -j DOCKER_"):
        return True
    if any(
        found and _ENGINE_NAMES.match(found["chain"]) for found in (_TO_LOCAL.fullmatch(text), _JUMP.fullmatch(text))
    ):
        return True
    hairpin = _HAIRPIN.fullmatch(text)
    if hairpin and any(
        hairpin["one"] in each.addresses for container in topology.containers for each in container.endpoints
    ):
        return True
    return any(
        re.fullmatch(form, text) for bridge, network in _bridges(topology) for form in _forms(bridge, network, topology)
    )


def _forms(bridge: str, network: Network, topology: Topology) -> Iterator[str]:
    for address in _addresses(network, topology.containers):
        for subnet in (str(each.prefix) for each in network.subnets):
            words = {"bridge": re.escape(bridge), "subnet": re.escape(subnet), "address": re.escape(address)}
            yield from (form.format(**words) for form in (*_BASE_FORMS, *([] if network.icc else [_ICC_OFF])))


def _addresses(network: Network, containers: Iterable[Container]) -> Iterator[str]:
    """Yield the addresses of a network's containers as prefixes; something in any case."""
    yield "none"
    for container in containers:
        for endpoint in container.endpoints:
            if endpoint.network == network.name:
                yield from (f"{each}/{128 if ':' in each else 32}" for each in endpoint.addresses if each)


def _bridges(topology: Topology) -> Iterator[tuple[str, Network]]:
    for network in topology.networks:
        link = topology.link(network.bridge)
        if link is not None:
            yield link.name, network


def _interfaces(text: str) -> set[str]:
    return set(_INTERFACES.findall(text))
