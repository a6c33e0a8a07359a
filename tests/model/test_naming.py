"""A word finds what people mean by it."""

import pytest
from topologies import change_container, read

from inspector.model.naming import called, find_containers, nearest_names

WORLD = read("two-networks.toml")
FULL = "abc1" + "0" * 60


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("web", ("web",)),
        (FULL, ("web",)),
        ("abc1", ("web",)),
        ("abc", ("web", "db")),
        ("ab", ("web", "db")),
        ("a", ()),
        ("172.17.0.4", ("both",)),
        ("192.168.0.3", ("both",)),
        ("172.17.0.44", ()),
        ("we", ()),
        ("WEB", ()),
        ("", ()),
    ],
)
def test_what_a_word_finds(word: str, names: tuple[str, ...]) -> None:
    assert tuple(each.name for each in find_containers(WORLD.containers, word)) == names


def test_a_name_wins_over_the_start_of_an_id() -> None:
    world = change_container(WORLD, "api", name="abc1")
    assert [each.id == FULL for each in find_containers(world.containers, "abc1")] == [False]


def test_the_start_of_an_id_wins_over_an_address() -> None:
    world = change_container(WORLD, "api", id="172.17.0.2ff")
    assert [each.name for each in find_containers(world.containers, "172.17.0.2")] == ["api"]


def test_nobody_is_found_among_nobody() -> None:
    assert find_containers((), "web") == ()
    assert nearest_names((), "web") == ()


def test_the_nearest_names() -> None:
    assert nearest_names(WORLD.containers, "webb") == ("web",)
    assert nearest_names(WORLD.containers, "frozn") == ("frozen",)
    assert nearest_names(WORLD.containers, "zzzzz") == ()
    assert len(nearest_names([*WORLD.containers] * 5, "web")) == 3


@pytest.mark.parametrize("name", ["both", "BOTH", "both.", "both.bridge", "Both.MyNet", "SHORT"])
def test_a_name_that_is_looked_up_means_a_container(name: str) -> None:
    both = next(each for each in WORLD.containers if each.name == "both")
    assert called(WORLD.containers, both.id[:12] if name == "SHORT" else name) is both


@pytest.mark.parametrize("name", ["bot", "both.quiet", "both.corp.example", "", ".", "172.17.0.4"])
def test_a_part_of_a_name_means_none(name: str) -> None:
    assert called(WORLD.containers, name) is None
