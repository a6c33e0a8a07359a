"""Words become parties, or a sentence that says which words would."""

import named
import pytest
from msgspec.structs import replace
from topologies import read

from inspector.errors import UsageError
from inspector.model.names import Mechanism
from inspector.model.question import Question
from inspector.model.topology import HOST
from inspector.plan.parties import find_destination, find_source, own_address, the_container

WORLD = read("two-networks.toml")
SIX = read("dual-stack.toml")


def destination(
    source: str, word: str, family: int | None = None, world: object = WORLD
) -> tuple[str, str | None, str]:
    question = Question(source, word, family=family)
    party, resolution = find_destination(world, question, find_source(world, source))  # type: ignore[arg-type]
    assert party.address == resolution.address
    return party.label, party.address, resolution.mechanism


@pytest.mark.parametrize(
    ("word", "label", "sandbox"),
    [
        ("web", "web", "web"),
        ("abc1", "web", "web"),
        ("172.17.0.3", "db", "db"),
        ("host", "host", "host"),
        ("metal", "metal", "host"),
        ("sidecar", "sidecar", "web"),
        ("gone", "gone", None),
    ],
)
def test_who_asks(word: str, label: str, sandbox: str | None) -> None:
    party = find_source(WORLD, word)
    assert (party.label, party.sandbox) == (label, sandbox)


@pytest.mark.parametrize(
    ("source", "word", "expected"),
    [
        ("web", "db", ("db", "172.17.0.3", "engine")),
        ("web", "both", ("both", "172.17.0.4", "engine")),
        ("api", "both", ("both", "192.168.0.3", "engine")),
        ("sidecar", "both", ("both", "172.17.0.4", "engine")),
        ("api", "sidecar", ("sidecar", "172.17.0.2", "engine")),
        ("web", "metal", ("metal", "172.17.0.1", "engine")),
        ("web", "host", ("host", "172.17.0.1", "engine")),
        ("api", "host", ("host", "192.168.0.1", "engine")),
        ("web", "gateway", ("host", "172.17.0.1", "engine")),
        ("host", "gateway", ("10.0.0.1", "10.0.0.1", "engine")),
        ("web", "8.8.8.8", ("8.8.8.8", "8.8.8.8", "address")),
        ("web", "192.168.0.2", ("api", "192.168.0.2", "address")),
        ("web", "gone", ("gone", None, "engine")),
        ("web", "hermit", ("hermit", None, "engine")),
    ],
)
def test_who_is_asked(source: str, word: str, expected: tuple[str, str | None, str]) -> None:
    assert destination(source, word) == expected


def test_the_family_asked_for_is_taken_and_else_ipv4() -> None:
    assert destination("left", "right", None, SIX)[1] == "172.18.0.3"
    assert destination("left", "right", 6, SIX)[1] == "fd00:6::3"
    assert destination("left", "gateway", 6, SIX)[1] == "fd00:6::1"


def test_loopback_is_nobody_else_s_address() -> None:
    assert destination("web", "127.0.0.1")[0] == "127.0.0.1"


def test_a_name_that_nobody_has_brings_the_nearest() -> None:
    with pytest.raises(UsageError, match="there is no container 'frozn'") as raised:
        the_container(WORLD, "frozn")
    assert raised.value.hint == "did you mean frozen?"


def test_a_name_like_no_other_brings_the_running_ones() -> None:
    with pytest.raises(UsageError) as raised:
        the_container(WORLD, "zzzzzz")
    assert raised.value.hint == "running: web, db, api, both, frozen"


def test_the_start_of_two_ids_brings_both() -> None:
    with pytest.raises(UsageError, match="fits several containers: web, db") as raised:
        the_container(WORLD, "abc")
    assert raised.value.exit_status == 2


@pytest.mark.parametrize(
    ("source", "word", "family", "said"),
    [
        ("left", "old", 6, "old has no IPv6 address"),
        ("old", "gateway", 6, "the gateway of old has no IPv6 address"),
        ("left", "172.18.0.3", 6, "172.18.0.3 is no IPv6 address"),
        ("left", "fd00:6::3", 4, "fd00:6::3 is no IPv4 address"),
    ],
)
def test_a_family_that_is_not_there(source: str, word: str, family: int, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        destination(source, word, family, SIX)


def test_the_host_does_not_ask_itself() -> None:
    for word in ("host", "metal"):
        with pytest.raises(UsageError, match="the same: the host"):
            destination("host", word)


def test_an_internal_network_has_no_gateway() -> None:
    with pytest.raises(UsageError, match="inner has no default gateway"):
        destination("inner", "gateway")


def test_the_address_one_sends_from() -> None:
    both = find_source(WORLD, "both").sandbox
    assert both
    assert own_address(WORLD, both, "192.168.0.2") == "192.168.0.3"
    assert own_address(WORLD, both, "8.8.8.8") == "172.17.0.4"
    assert own_address(WORLD, HOST, "8.8.8.8") == "10.0.0.5"
    hermit = find_source(WORLD, "hermit").sandbox
    assert hermit
    assert own_address(WORLD, hermit, "8.8.8.8") is None


@pytest.mark.parametrize(
    ("word", "engines"),
    [
        ("both", ("172.17.0.4", "192.168.0.3")),
        ("sidecar", ("172.17.0.2",)),
        ("metal", ()),
        ("gone", ()),
        ("www.example", ()),
    ],
)
def test_the_engines_addresses_are_kept_beside_the_one_that_the_source_got(word: str, engines: tuple[str, ...]) -> None:
    names = replace(named.named(word, Mechanism.HOSTS_FILE), addresses=("172.17.255.77",))
    party, resolution = find_destination(WORLD, Question("web", word), find_source(WORLD, "web"), names)
    assert (party.address, resolution.address) == ("172.17.255.77", "172.17.255.77")
    assert resolution.engine_addresses == engines
