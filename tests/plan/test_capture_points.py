"""Words become capture points; what they mean stays the same under another name."""

import pytest
from msgspec.structs import replace
from topologies import read

from inspector.errors import UsageError
from inspector.model.topology import Topology
from inspector.plan.capture_points import Wanted, find, find_again, looked_into, points_of

WORLD = read("two-networks.toml")
SHARED = read("shared-parent.toml")


def wanted(*words: str, world: Topology = WORLD) -> Wanted:
    return find(words, world.containers, world.networks)


def points(*words: str, world: Topology = WORLD, passive: bool = False) -> list[str]:
    return [str(each) for each in points_of(world, wanted(*words, world=world), passive=passive)]


def test_of_a_container_its_own_interfaces_the_far_ends_and_the_bridges() -> None:
    found = points("web")
    assert {"web/lo", "web/eth0", "host/docker0"} <= set(found)
    veths = [each for each in found if each.startswith("host/veth")]
    assert len(veths) == len([each for each in found if each.startswith("web/eth")])
    assert len(found) == len(set(found))


def test_of_a_network_its_bridge_and_only_the_interfaces_on_it() -> None:
    network = next(each for each in WORLD.networks if each.name == "mynet")
    found = points(network.name)
    bridge = WORLD.link(network.bridge)
    assert bridge
    assert f"host/{bridge.name}" in found
    assert not [each for each in found if each.endswith("/lo")]
    assert "host/docker0" not in found


def test_only_bridges_are_made_promiscuous_and_none_where_that_is_not_wanted() -> None:
    asked = {str(each): each.promiscuous for each in points_of(WORLD, wanted("web"))}
    assert [name for name, promiscuous in asked.items() if promiscuous] == ["host/docker0"]
    assert not any(each.promiscuous for each in points_of(WORLD, wanted("web"), passive=True))


def test_what_a_macvlan_interface_is_on_top_of() -> None:
    member = next(each for each in SHARED.containers if each.running and each.endpoints)
    assert any(each.startswith("host/") for each in points(member.name, world=SHARED))
    network = next(each for each in SHARED.networks if each.parent)
    assert any(each.startswith("host/") for each in points(network.name, world=SHARED))


def test_the_host_is_every_interface_of_its_stack() -> None:
    assert {"host/lo", "host/eth0", "host/docker0"} <= set(points("host"))


@pytest.mark.parametrize("word", ["wbe", "docker", "\x1b[2J", "", "0"])
def test_a_word_that_means_nothing_is_a_sentence(word: str) -> None:
    with pytest.raises(UsageError) as told:
        points("web", word)
    assert "there is no container or network" in told.value.message
    assert str(told.value).isprintable()


def test_the_nearest_names_are_told() -> None:
    with pytest.raises(UsageError, match="did you mean web"):
        points("wbe")


def test_the_start_of_an_id_will_do_where_it_is_one() -> None:
    container = next(each for each in WORLD.containers if each.name == "web")
    assert wanted(container.id[:6]) == wanted("web")
    twin = replace(container, name="twin", id=container.id[:10] + "f" * 54)
    with pytest.raises(UsageError, match="could mean"):
        find([container.id[:6]], (*WORLD.containers, twin), WORLD.networks)


def test_a_renamed_container_is_still_meant_and_so_is_whoever_has_its_name_now() -> None:
    before = wanted("web")
    renamed = tuple(replace(each, name="old") if each.name == "web" else each for each in WORLD.containers)
    assert find_again(["web"], before, renamed, WORLD.networks) == before
    new = replace(renamed[0], name="web", id="f" * 64)
    assert find_again(["web"], before, (*renamed, new), WORLD.networks).containers == before.containers | {new.id}


def test_members_of_a_network_are_looked_into() -> None:
    network = next(each for each in WORLD.networks if each.name == "mynet")
    members = {each.id for each in WORLD.containers if any(one.network == network.name for one in each.endpoints)}
    assert set(looked_into(wanted(network.name), WORLD.containers, WORLD.networks)) == members
