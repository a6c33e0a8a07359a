"""Which names are asked for, in what order: the search list, ndots, a trailing dot, an address."""

import pytest

from inspector.model.lookup import Libc, Nameservers
from inspector.plan.candidates import ADDRESSES, as_address, candidates, names_to_try

A, B = "a.example", "b.example"


@pytest.mark.parametrize(
    ("name", "servers", "glibc", "musl"),
    [
        ("web", Nameservers(), ("web",), ("web",)),
        (
            "web",
            Nameservers(search=(A, B)),
            ("web.a.example", "web.b.example", "web"),
            ("web.a.example", "web.b.example", "web"),
        ),
        ("web.shop", Nameservers(search=(A,)), ("web.shop", "web.shop.a.example"), ("web.shop",)),
        (
            "web.shop",
            Nameservers(search=(A,), ndots=2),
            ("web.shop.a.example", "web.shop"),
            ("web.shop.a.example", "web.shop"),
        ),
        ("web", Nameservers(search=(A,), ndots=0), ("web", "web.a.example"), ("web",)),
        ("web.", Nameservers(search=(A,), ndots=5), ("web",), ("web",)),
        ("web", Nameservers(search=(".",)), ("web",), ("web",)),
        ("web.shop", Nameservers(search=(".",)), ("web.shop", "web.shop"), ("web.shop",)),
        ("web", Nameservers(search=(A,), no_tld_query=True), ("web.a.example",), ("web.a.example", "web")),
        ("10.0.0.1", Nameservers(search=(A,)), ("1.0.0.10.in-addr.arpa",), ("1.0.0.10.in-addr.arpa",)),
        ("", Nameservers(), (), ()),
        ("a" * 64, Nameservers(), (), ()),
        (".", Nameservers(), (".",), (".",)),
        ("..", Nameservers(), (), ()),
        ("a\ud800b", Nameservers(), (), ()),
    ],
)
def test_the_order_of_the_names(name: str, servers: Nameservers, glibc: tuple[str, ...], musl: tuple[str, ...]) -> None:
    assert candidates(name, servers, Libc.GLIBC) == glibc
    assert candidates(name, servers, Libc.MUSL) == musl


def test_a_search_domain_that_makes_the_name_too_long_is_left_out() -> None:
    long = ".".join(["x" * 60] * 4)
    servers = Nameservers(search=(long, A))
    assert candidates("web.shop.of.ours", servers, Libc.GLIBC) == ("web.shop.of.ours", "web.shop.of.ours.a.example")


def test_what_comes_from_the_search_list_is_marked() -> None:
    found = names_to_try("web", Nameservers(search=(A,)), Libc.GLIBC, ADDRESSES)
    assert [each.searched for each in found] == [True, False]


def test_musl_puts_no_search_domain_behind_a_name_whose_other_types_are_wanted() -> None:
    servers = Nameservers(search=(A,))
    assert candidates("web", servers, Libc.MUSL, ("MX",)) == ("web",)
    assert candidates("web", servers, Libc.GLIBC, ("MX",)) == ("web.a.example", "web")


def test_the_scope_of_an_address_is_no_part_of_its_name() -> None:
    assert candidates("fe80::1%eth0", Nameservers(), Libc.GLIBC) == ("1." + "0." * 28 + "8.e.f.ip6.arpa",)
    assert as_address("1.2.3") is None
