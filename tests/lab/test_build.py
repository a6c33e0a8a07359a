"""What is decided before anything is made: the subnet, and whether the lab is whole."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.discover.engine import Engine
from inspector.errors import UsageError
from inspector.lab.build import (
    Standing,
    _refuse_another_course,
    _refuse_taken_subnet,
    _the_nameservers,
    _the_subnet,
    free_subnet,
    half_built,
    is_whole,
)
from inspector.lab.layout import GUEST_LABEL, MEMBERS, SUBNET

TEN = IPv4Network("10.0.0.0/8")


@st.composite
def inside_ten(draw: st.DrawFn) -> IPv4Network:
    """Draw a network in 10.0.0.0/8, too small to take more than 16 of the candidates."""
    prefix = draw(st.integers(12, 32))
    address = int(TEN.network_address) + draw(st.integers(0, 2**24 - 1))
    return IPv4Network((address, prefix), strict=False)


networks = st.lists(
    st.one_of(
        inside_ten(),
        st.builds(lambda a, p: IPv4Network((a, p), strict=False), st.integers(2**31, 2**32 - 1), st.integers(8, 32)),
        st.builds(lambda a, p: IPv6Network((a, p), strict=False), st.integers(0, 2**128 - 1), st.integers(0, 128)),
    ),
    max_size=9,
)


@given(networks)
def test_the_free_subnet_is_free_private_and_big_enough(used: list[IPv4Network | IPv6Network]) -> None:
    free = free_subnet(used)
    assert not any(each.version == 4 and free.overlaps(each) for each in used)
    assert free.subnet_of(TEN)
    assert free.prefixlen == 16
    assert _the_subnet(str(free)) == free


@given(networks)
def test_the_order_of_what_is_in_use_does_not_matter(used: list[IPv4Network | IPv6Network]) -> None:
    assert free_subnet(used) == free_subnet(reversed(used))


def test_nothing_in_use_gives_the_subnet_of_the_documents() -> None:
    assert free_subnet([]) == IPv4Network("10.213.0.0/16")
    assert free_subnet([ip_network("10.213.7.0/24")]) == IPv4Network("10.100.0.0/16")


def test_a_taken_subnet_is_refused_with_the_command_that_would_do() -> None:
    api = SimpleNamespace(networks=lambda: [{"Name": "mine", "IPAM": {"Config": [{"Subnet": "192.168.7.0/24"}]}}])
    with pytest.raises(UsageError, match=r"overlaps 192\.168\.7\.0/24, which is the network mine") as caught:
        _refuse_taken_subnet(Engine(api), IPv4Network(SUBNET), [], "dnetsniff lab up --image web")
    assert caught.value.hint == "take a free one: dnetsniff lab up --image web --subnet 10.213.0.0/16"


def test_an_engine_that_cannot_show_the_course_is_refused_before_anything_is_made() -> None:
    answers = {"Components": [{"Name": "Podman Engine"}], "Version": "4.3.1"}
    with pytest.raises(UsageError, match=r"Podman Engine makes no legacy links .* nothing was touched"):
        _refuse_another_course(Engine(SimpleNamespace(version=lambda: answers)))
    answers["Components"] = [{"Name": "Engine"}]
    _refuse_another_course(Engine(SimpleNamespace(version=lambda: answers)))


def test_no_wish_is_the_course_s_subnet() -> None:
    assert _the_subnet(None) == IPv4Network(SUBNET)


@pytest.mark.parametrize("asked", ["mynet", "10.1.2.3/16", "10.0.0.0/33", "fd00::/64", "10.0.0/8", "10.0.0.0/-1"])
def test_what_is_no_ipv4_network_is_said(asked: str) -> None:
    with pytest.raises(UsageError, match="is no IPv4 network") as caught:
        _the_subnet(asked)
    assert repr(asked) in caught.value.message
    assert caught.value.hint == "write it like 10.213.0.0/16"


@given(st.integers(0, 2**32 - 1), st.integers(1, 32))
def test_a_subnet_has_room_for_the_lab_or_is_refused(address: int, prefix: int) -> None:
    asked = IPv4Network((address, prefix), strict=False)
    if prefix <= 28:
        assert _the_subnet(str(asked)) == asked
    else:
        with pytest.raises(UsageError, match="too small for the lab"):
            _the_subnet(str(asked))


def test_nameservers_are_kept_in_their_order() -> None:
    assert _the_nameservers(()) == ()
    assert _the_nameservers(["198.51.100.2", "fd00::53"]) == ("198.51.100.2", "fd00::53")


@pytest.mark.parametrize("asked", ["", "dns.example", "10.0.0.0/8", "127.1", "10.0.0.1:53"])
def test_a_nameserver_that_is_no_address_is_said(asked: str) -> None:
    with pytest.raises(UsageError, match="is no IP address") as caught:
        _the_nameservers(["198.51.100.2", asked])
    assert repr(asked) in caught.value.message


def standing(state: str = "running") -> list[Standing]:
    return [Standing(name=each.name, state=state, places=()) for each in MEMBERS]


def test_the_lab_is_whole_when_all_five_run() -> None:
    assert is_whole(standing())
    assert not is_whole(())
    assert not is_whole(standing("exited"))


@pytest.mark.parametrize("place", range(len(MEMBERS)))
def test_one_that_is_missing_or_stopped_breaks_it(place: int) -> None:
    five = standing()
    assert not is_whole(five[:place] + five[place + 1 :])
    assert not is_whole([*five[:place], standing("exited")[place], *five[place + 1 :]])


def holding(names: tuple[str, ...], *networks: str) -> Engine:
    """Return an engine on which these containers of the lab run and these networks are."""
    listed = [
        {"Id": name, "Names": [f"/{name}"], "State": "running", "Labels": {GUEST_LABEL: name}, "NetworkSettings": {}}
        for name in names
    ]
    made = [{"Id": each, "Name": each} for each in networks]
    return Engine(SimpleNamespace(containers=lambda **_: listed, networks=lambda **_: made))


def test_a_lab_that_is_not_whole_is_named_part_by_part() -> None:
    assert half_built(holding(("tomcat02",), "mynet")) == ("tomcat02", "network mynet")
    assert half_built(holding((), "mynet")) == ("network mynet",)


def test_of_a_whole_lab_only_guests_are_named() -> None:
    whole = tuple(member.name for member in MEMBERS)
    assert half_built(holding(whole, "mynet")) == ()
    assert half_built(holding((*whole, "redis"), "mynet")) == ("redis",)
    assert half_built(holding(())) == ()
