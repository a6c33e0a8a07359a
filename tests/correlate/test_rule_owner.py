"""Whose a rule is: by evidence, and by names only together with it."""

import pytest
from msgspec.structs import replace
from port_cases import PUBLISHING
from topologies import read

from inspector.correlate.rule_owner import owner_of
from inspector.model.rules import Backend, Chain, ChainKey, ChainRule, Hook
from inspector.model.topology import HOST

WORLD = read("two-networks.toml")
BRIDGE, OTHER = (WORLD.link(each.bridge) for each in WORLD.networks[:2])
assert BRIDGE is not None
assert OTHER is not None
B, O = BRIDGE.name, OTHER.name  # noqa: E741
ADDRESS = next(
    endpoint.addresses[0]
    for container in WORLD.containers
    for endpoint in container.endpoints
    if endpoint.network == WORLD.networks[0].name
)
SUBNET = str(WORLD.networks[0].subnets[0].prefix)
FORWARD = Hook("forward", 0, "drop")


def owner(
    text: str,
    chain: str,
    *others: str,
    table: str = "filter",
    hook: Hook | None = None,
    target: str = "",
    icc: bool = True,
) -> str:
    """Return the owner of the first of these rules of one chain."""
    rules = tuple(ChainRule(at, at, each, target) for at, each in enumerate((text, *others), start=1))
    key = ChainKey(HOST, Backend.NFT, "ip", table, chain)
    world = WORLD if icc else replace(WORLD, networks=tuple(replace(each, icc=False) for each in WORLD.networks))
    return owner_of(rules[0], Chain(key, len(rules), hook, rules), world)


@pytest.mark.parametrize(
    ("text", "chain"),
    [
        (f"-o {B} -j DROP", "DOCKER-ISOLATION-STAGE-2"),
        (f"-i {B} ! -o {B} -j DOCKER-ISOLATION-STAGE-2", "DOCKER-ISOLATION-STAGE-1"),
        (f"-d {ADDRESS}/32 ! -i {B} -o {B} -p tcp -m tcp --dport 80 -j ACCEPT", "DOCKER"),
        ("-m set --match-set docker-ext-bridges-v4 dst -j ACCEPT", "DOCKER-FORWARD"),
        ("-d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:4", "DOCKER_OUTPUT"),
        ("-j RETURN", "DOCKER-USER"),
        (f'iifname != "{B}" oifname "{B}" counter packets 0 bytes 0 drop', "docker-forward-in"),
    ],
)
def test_rules_of_the_engines_chains(text: str, chain: str) -> None:
    assert owner(text, chain) == "engine"


@pytest.mark.parametrize(
    ("text", "table"),
    [
        (f"-d {ADDRESS}/32 ! -i {B} -j DROP", "raw"),
        (f"-i {B} ! -o {B} -j ACCEPT", "filter"),
        (f"-o {B} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "filter"),
        (f"-s {SUBNET} ! -o {B} -j MASQUERADE", "nat"),
        (f"-s {ADDRESS}/32 -d {ADDRESS}/32 -p tcp -m tcp --dport 80 -j MASQUERADE", "nat"),
        (f"-o {B} -m addrtype --src-type LOCAL -j MASQUERADE", "nat"),
        ("-m addrtype --dst-type LOCAL -j DOCKER", "nat"),
        ("-j DOCKER-USER", "filter"),
    ],
)
def test_forms_that_the_engine_writes_into_base_chains(text: str, table: str) -> None:
    assert owner(text, "FORWARD", table=table, hook=FORWARD) == "engine"


@pytest.mark.parametrize(
    ("text", "chain", "hook"),
    [
        (f"-d {ADDRESS}/32 -j DROP", "FORWARD", FORWARD),
        (f"-i {B} -o {O} -j DROP", "FORWARD", FORWARD),
        (f"-d 10.99.99.99/32 ! -i {B} -j DROP", "PREROUTING", FORWARD),
        (f"-d {ADDRESS}/32 ! -i {O} -j DROP", "PREROUTING", FORWARD),
        (f"-i {B} -o {B} -j DROP", "FORWARD", FORWARD),
        (f"-i {B} -j DROP", "DOCKER-USER", None),
        ("-s 10.1.1.1/32 -j DROP", "DOCKER", None),
        (f"-i {B} -j DROP", "BLOCK", None),
        ("drop", "c", FORWARD),
    ],
)
def test_rules_of_the_user(text: str, chain: str, hook: Hook | None) -> None:
    assert owner(text, chain, hook=hook) == "user"


def test_a_rule_that_publishes_a_port_is_the_engines_where_the_engine_says_so() -> None:
    text = "-p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.3:{}"
    for target, expected in ((80, "engine"), (81, "user")):
        rule = ChainRule(1, 1, text.format(target), "")
        chain = Chain(ChainKey(HOST, Backend.NFT, "ip", "nat", "DOCKER"), 1, None, (rule,))
        assert owner_of(rule, chain, PUBLISHING) == expected


def test_containers_kept_from_each_other_by_the_engine() -> None:
    assert owner(f"-i {B} -o {B} -j DROP", "FORWARD", hook=FORWARD, icc=False) == "engine"


def test_a_rule_without_conditions_is_the_engines_among_its_rules() -> None:
    assert owner("-j RETURN", "DOCKER-ISOLATION-STAGE-2", f"-o {B} -j DROP") == "engine"
    assert owner("-j DOCKER-CT", "DOCKER-FORWARD", target="DOCKER-CT") == "engine"


@pytest.mark.parametrize(
    ("text", "chain"),
    [("-j RETURN", "DOCKER-ISOLATION-STAGE-2"), ("-j DROP", "DOCKER-MINE"), ("-i eth9 -j DROP", "DOCKER")],
)
def test_a_name_alone_proves_nothing(text: str, chain: str) -> None:
    assert owner(text, chain) == "unknown"


@pytest.mark.parametrize(
    ("chain", "table", "expected"),
    [
        ("ufw-user-forward", "filter", "ufw"),
        ("ufw6-before-input", "filter", "ufw"),
        ("filter_FWD_public", "firewalld", "firewalld"),
        ("FORWARD_direct", "filter", "firewalld"),
        ("FWDI_public_deny", "filter", "firewalld"),
        ("KUBE-FORWARD", "filter", "kube-proxy"),
        ("filter-forward", "kube-proxy", "kube-proxy"),
        ("LIBVIRT_FWX", "filter", "libvirt"),
        ("NETAVARK_FORWARD", "filter", "netavark"),
        ("FORWARD", "netavark", "netavark"),
        ("IN_HOME", "filter", "user"),
    ],
)
def test_programs_that_keep_chains_of_their_own(chain: str, table: str, expected: str) -> None:
    assert owner("-j DROP", chain, table=table) == expected
