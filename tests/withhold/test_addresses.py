"""Another address for each, of the same kind and in the same subnets."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.withhold.addresses import Addresses

SALT = b"any salt will do"
PREFIXES = [ip_network(each) for each in ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "192.0.2.8/30", "fd00:1::/64")]
ANY = st.ip_addresses()


def addresses(*avoided: object) -> Addresses:
    return Addresses(SALT, PREFIXES, avoided)


@given(ANY)
def test_what_an_address_is_stays(address: IPv4Address | IPv6Address) -> None:
    other = addresses().address(address)
    for claim in (
        "version",
        "is_private",
        "is_global",
        "is_multicast",
        "is_loopback",
        "is_link_local",
        "is_unspecified",
    ):
        assert getattr(other, claim) == getattr(address, claim), claim


@given(st.lists(ANY, unique=True))
def test_two_addresses_do_not_become_one(some: list[IPv4Address | IPv6Address]) -> None:
    dealt = addresses()
    assert len({dealt.address(each) for each in some}) == len(some)


@given(st.ip_addresses(network="10.0.0.0/8"))
def test_subnets_hold_the_others_of_their_addresses(address: IPv4Address) -> None:
    dealt = addresses()
    other = dealt.address(address)
    for prefix in PREFIXES[:3]:
        assert (address in prefix) == (other in dealt.network(prefix))


@pytest.mark.parametrize("text", ["10.1.2.0", "10.1.2.255", "10.255.255.255", "fd00:1::"])
def test_the_ends_of_a_subnet_stay_its_ends(text: str) -> None:
    address, dealt = ip_address(text), addresses()
    prefix = max((each for each in PREFIXES if address in each), key=lambda each: each.prefixlen)
    other = dealt.network(prefix)
    first = address == prefix.network_address
    assert dealt.address(address) == (other.network_address if first else other.broadcast_address)


@pytest.mark.parametrize("text", ["127.0.0.11", "0.0.0.0", "255.255.255.255", "224.0.0.251", "::", "::1", "ff02::1"])
def test_what_is_everybody_s_stays(text: str) -> None:
    assert addresses().address(ip_address(text)) == ip_address(text)


def test_small_subnets_have_room_for_their_own() -> None:
    dealt = addresses()
    hosts = {dealt.address(each) for each in IPv4Network("192.0.2.8/30")}
    assert hosts == set(dealt.network(IPv4Network("192.0.2.8/30")))


def test_a_full_subnet_is_full_afterwards() -> None:
    dealt = addresses()
    assert {dealt.address(each) for each in IPv4Network("10.1.2.0/24")} == set(
        dealt.network(IPv4Network("10.1.2.0/24"))
    )


def test_nodes_of_one_number_in_several_networks_share_their_group() -> None:
    dealt = addresses()
    here, there = (dealt.address(IPv6Address(each)).packed for each in ("fd00:1::2", "fd00:2::2"))
    assert here[:-3] != there[:-3]
    assert here[-3:] == there[-3:] == dealt.address(IPv6Address("ff02::1:ff00:2")).packed[-3:]


def test_what_is_made_of_a_mac_is_made_of_the_other() -> None:
    dealt = addresses()
    mac = dealt.mac(bytes.fromhex("0242ac110002"))
    other = dealt.address(IPv6Address("fe80::42:acff:fe11:2")).packed
    assert other[8:] == bytes((mac[0] ^ 2,)) + mac[1:3] + b"\xff\xfe" + mac[3:]
    group = dealt.address(IPv6Address("ff02::1:ff11:2")).packed
    assert group[-3:] == other[-3:]
    assert dealt.mac(bytes.fromhex("3333ff110002")) == b"\x33\x33" + group[-4:]


@given(st.binary(min_size=6, max_size=6))
def test_a_mac_keeps_the_bits_that_mean_something(mac: bytes) -> None:
    assert addresses().mac(mac)[0] & 3 == mac[0] & 3


def test_nobody_becomes_one_of_the_originals() -> None:
    others = list(IPv4Network("10.1.2.0/24").hosts())[:200]
    first = Addresses(SALT, PREFIXES)
    taken = {first.address(each) for each in others}
    assert not {addresses(*taken).address(each) for each in others[:20]} & taken


def test_networks_nest_as_before() -> None:
    dealt = addresses()
    inner, outer = IPv6Network("2001:db8:1:2::/64"), IPv6Network("2001:db8:1::/48")
    assert dealt.network(inner).subnet_of(dealt.network(outer))
