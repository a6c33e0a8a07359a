"""The nat rules of a real namespace, compared with what the tools print that made them."""

import errno
import struct
from collections.abc import Iterable, Iterator
from typing import Self

import pytest
from rule_place import Place, new_place

from inspector import netns
from inspector.discover.nat_rules import read_nat_rules
from inspector.errors import InspectorError, PrivilegeError
from inspector.model.lookup import TranslationRule
from inspector.netfilter import asking

pytestmark = pytest.mark.kernel

IPV4 = (
    "-N OWN",
    "-A OUTPUT -d 127.0.0.11/32 -p udp -m udp --dport 53 -j DNAT --to-destination 127.0.0.11:40720",
    "-A POSTROUTING -s 127.0.0.11/32 -p udp -m udp --sport 40720 -j SNAT --to-source :53",
    (
        "-A PREROUTING ! -s 10.0.0.0/8 -d 10.1.2.0/23 -i eth+ -p tcp -m tcp --sport 1:20 --dport 80"
        " -j DNAT --to-destination 1.2.3.4-1.2.3.9:10-20 --random"
    ),
    "-A PREROUTING -m addrtype --dst-type LOCAL -j OWN",
    "-A PREROUTING -m conntrack --ctstate NEW,RELATED -j OWN",
    "-A OUTPUT -p udp -m udp ! --dport 5:7 -m addrtype ! --dst-type UNICAST,LOCAL -j REDIRECT --to-ports 1-9",
    "-A OUTPUT ! -d 127.0.0.0/8 -m comment --comment two\\ words -g OWN",
    "-A POSTROUTING -s 10.0.0.0/255.0.255.0 ! -o lo -p tcp -j MASQUERADE --to-ports 5 --random-fully",
    "-A POSTROUTING -p icmp -j SNAT --to-source 10.9.9.9 --persistent",
    "-A POSTROUTING -p 99 -j ACCEPT",
    "-A OWN -d 1.2.3.4/32 -p tcp -m tcp --dport 8080",
    "-A OWN -j RETURN",
)
IPV6 = (
    "-A OUTPUT -d ::1/128 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 81",
    "-A OUTPUT -d fd00::/64 -p udp -m udp --dport 53 -j DNAT --to-destination [fd00::1-fd00::4]:80-82",
    "-A OUTPUT -d fd00::9/128 -p udp -m udp --dport 53 -j DNAT --to-destination [fd00::1]:5353",
    "-A POSTROUTING ! -s fd00::/60 -p ipv6-icmp -j SNAT --to-source fd00::9",
    "-A POSTROUTING -o eth0 -j MASQUERADE",
)


class NatPlace(Place):
    """A namespace, and what its nat rules are."""

    def rules(self) -> tuple[TranslationRule, ...]:
        return netns.enter(self.fd, read_nat_rules)

    def saved(self, tool: str) -> dict[str, list[str]]:
        """Return what the tool prints of each chain."""
        return by_chain(each for each in self.run(f"{tool} -t nat").splitlines() if each.startswith("-A "))


@pytest.fixture
def place() -> Iterator[NatPlace]:
    with new_place() as found:
        yield NatPlace(found.name, found.fd)


def by_chain(texts: Iterable[str]) -> dict[str, list[str]]:
    """Sort rules by chain: tools list the chains in another order than the kernel."""
    found: dict[str, list[str]] = {}
    for text in texts:
        found.setdefault(text.split()[1], []).append(text)
    return found


@pytest.mark.parametrize(
    ("tool", "family", "backend", "rules"),
    [
        ("iptables-nft", "ip", "nf_tables", IPV4),
        ("iptables-legacy", "ip", "legacy", IPV4),
        ("ip6tables-nft", "ip6", "nf_tables", IPV6),
        ("ip6tables-legacy", "ip6", "legacy", IPV6),
    ],
)
def test_rules_are_written_as_the_tool_writes_them(
    place: NatPlace, tool: str, family: str, backend: str, rules: tuple[str, ...]
) -> None:
    for rule in rules:
        place.run(f"{tool} -w -t nat {rule}")
    found = place.rules()
    saved = place.saved(f"{tool}-save")
    assert sum(len(each) for each in saved.values()) == len([each for each in rules if each.startswith("-A")])
    assert by_chain(each.text for each in found) == saved
    assert {(each.family, each.backend, each.table) for each in found} == {(family, backend, "nat")}
    for each in found:
        assert saved[each.chain][each.position - 1] == each.text


@pytest.mark.parametrize(("tool", "backend"), [("iptables-nft", "nf_tables"), ("iptables-legacy", "legacy")])
def test_plain_parts_are_fields(place: NatPlace, tool: str, backend: str) -> None:
    place.run(f"{tool} -t nat {IPV4[1]}")
    assert place.rules() == (
        TranslationRule(
            table="nat",
            chain="OUTPUT",
            position=1,
            text=IPV4[1],
            backend=backend,
            target="DNAT",
            destination="127.0.0.11",
            protocol="udp",
            port=53,
            to_address="127.0.0.11",
            to_port=40720,
        ),
    )


@pytest.mark.parametrize("tool", ["iptables-nft", "iptables-legacy"])
def test_what_cannot_be_read_is_named(place: NatPlace, tool: str) -> None:
    place.run(f"{tool} -t nat -A OUTPUT -m u32 --u32 0=1 -j RETURN")
    place.run(f"{tool} -t nat -A PREROUTING -d 10.0.0.0/24 -j NETMAP --to 10.9.0.0/24")
    assert by_chain(each.text for each in place.rules()) == {
        "OUTPUT": ["-A OUTPUT [u32] -j RETURN"],
        "PREROUTING": ["-A PREROUTING -d 10.0.0.0/24 -j NETMAP [NETMAP]"],
    }


def test_rules_of_nft_itself(place: NatPlace) -> None:
    for command in (
        "add table inet mine",
        "add chain inet mine pre { type nat hook prerouting priority -100; }",
        "add chain inet mine filter { type filter hook input priority 0; }",
        "add chain inet mine reached",
        "add chain inet mine unreached",
        "add rule inet mine filter tcp dport 1 drop",
        "add rule inet mine unreached tcp dport 1 drop",
        "add rule inet mine reached tcp dport 7 redirect to :1-3",
        (
            "add rule inet mine pre ip daddr 10.0.0.1 ip saddr 10.0.0.2 udp sport 2 udp dport 53 ct state new"
            " dnat ip to 127.0.0.1:5353"
        ),
        "add rule inet mine pre ip6 daddr fd00::/64 tcp dport 1-9 dnat ip6 to [fd00::1]:99",
        'add rule inet mine pre iifname { "a", "b" } fib daddr type local tcp dport { 1, 2 } redirect to :80',
        "add rule inet mine pre meta mark 7 log counter accept",
        "add rule inet mine pre ip daddr 10.0.0.0/8 dnat ip to ip saddr map { 1.1.1.1 : 2.2.2.2 }",
        "add rule inet mine pre jump reached",
    ):
        place.run(f"nft '{command}'")
    assert [(each.family, each.chain, each.position, each.text) for each in place.rules()] == [
        (
            "ip",
            "pre",
            1,
            (
                "-A pre -s 10.0.0.2/32 -d 10.0.0.1/32 -p udp -m udp --sport 2 --dport 53"
                " -m conntrack --ctstate NEW -j DNAT --to-destination 127.0.0.1:5353"
            ),
        ),
        ("ip6", "pre", 2, "-A pre -d fd00::/64 -p tcp -m tcp --dport 1:9 -j DNAT --to-destination [fd00::1]:99"),
        ("inet", "pre", 3, "-A pre -p tcp [lookup] -m addrtype --dst-type LOCAL [lookup] -j REDIRECT --to-ports 80"),
        ("inet", "pre", 4, "-A pre -m mark --mark 0x7 [log] -j ACCEPT"),
        ("ip", "pre", 5, "-A pre -d 10.0.0.0/8 [lookup] -j DNAT [nat]"),
        ("inet", "pre", 6, "-A pre -j reached"),
        ("inet", "reached", 1, "-A reached -p tcp -m tcp --dport 7 -j REDIRECT --to-ports 1-3"),
    ]


def test_both_kinds_of_tables_at_once(place: NatPlace) -> None:
    place.run(f"iptables-nft -t nat {IPV4[1]}")
    place.run(f"iptables-legacy -t nat {IPV4[1]}")
    assert [(each.backend, each.text) for each in place.rules()] == [("nf_tables", IPV4[1]), ("legacy", IPV4[1])]


def test_asking_makes_no_table(place: NatPlace) -> None:
    names = "cat /proc/thread-self/net/ip_tables_names /proc/thread-self/net/ip6_tables_names; nft list tables"
    before = place.run(names)
    assert place.rules() == ()
    assert place.run(names) == before == ""


def test_many_rules_come_in_order(place: NatPlace) -> None:
    """More than one netlink message, and more than the 1024 bytes that Python's getsockopt would take."""
    rules = "".join(f"-A OUTPUT -d 10.0.{each >> 8}.{each & 255}/32 -j RETURN\\n" for each in range(700))
    place.run(f"printf '*nat\\n{rules}COMMIT\\n' | iptables-nft-restore")
    place.run(f"printf '*nat\\n{rules}COMMIT\\n' | iptables-legacy-restore")
    found = place.rules()
    assert [each.position for each in found] == [*range(1, 701), *range(1, 701)]
    assert [each.destination for each in found[:300]] == [f"10.0.{each >> 8}.{each & 255}" for each in range(300)]
    assert [each.text for each in found[:700]] == [each.text for each in found[700:]]


class _Refusing:
    """A netlink socket on which the kernel answers with one error."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def settimeout(self, _seconds: float) -> None:
        pass

    def sendto(self, _data: bytes, _address: object) -> None:
        pass

    def recv(self, _length: int) -> bytes:
        return struct.pack("=IHHIIi", 36, 2, 0, 0, 0, -self.number) + bytes(16)


def test_a_refusal_is_told_in_words(place: NatPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.socket, "socket", lambda *_: _Refusing(errno.EPERM))
    with pytest.raises(PrivilegeError, match="CAP_NET_ADMIN is missing"):
        place.rules()
    monkeypatch.setattr(asking.socket, "socket", lambda *_: _Refusing(errno.ENOMEM))
    with pytest.raises(InspectorError, match="cannot be read: cannot allocate memory"):
        place.rules()


def test_a_kernel_without_nf_tables_has_no_rules_of_it(place: NatPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.socket, "socket", lambda *_: _Refusing(errno.EINVAL))
    assert place.rules() == ()
