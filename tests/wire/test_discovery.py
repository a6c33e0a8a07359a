"""Neighbour discovery is known by the address it is about, also from the part that the kernel tells of it."""

import pytest

from inspector.wire import scapy_door
from inspector.wire.discovery import ADVERTISEMENT, SOLICITATION, discovery

scapy_door.prepare()

from scapy.layers.inet6 import ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, IPv6  # noqa: E402

A, B, OTHER = "fd00::2", "fd00::1:3", "fd00::9"
GROUP, THEIRS = "ff02::1:ff01:3", "ff02::1:ff00:9"
ASKS, TELLS = ICMPv6ND_NS(tgt=B), ICMPv6ND_NA(tgt=B)
ALL, TOLD = 72, 60


@pytest.mark.parametrize("length", [ALL, TOLD])
@pytest.mark.parametrize(
    ("packet", "expected"),
    [
        (IPv6(src=A, dst=GROUP) / ASKS, (SOLICITATION, B)),
        (IPv6(src=A, dst=B) / ASKS, (SOLICITATION, B)),
        (IPv6(src=B, dst=A) / TELLS, (ADVERTISEMENT, B)),
        (IPv6(src=A, dst=THEIRS) / ICMPv6ND_NS(tgt=OTHER), None),
        (IPv6(src=A, dst=B) / ICMPv6EchoRequest(), None),
    ],
    ids=["asked of all", "asked of one", "told", "another", "no discovery"],
)
def test_it_is_about_one_of_the_addresses(packet: IPv6, expected: tuple[int, str] | None, length: int) -> None:
    assert discovery(bytes(packet)[:length], ("10.0.0.1", A, f"{B}")) == expected


def test_what_was_cut_is_not_guessed() -> None:
    told = bytes(IPv6(src="fe80::1", dst=A) / TELLS)
    assert discovery(told[:TOLD], (B,)) is None
    assert discovery(told, (B,)) == (ADVERTISEMENT, B)


@pytest.mark.parametrize("packet", [b"", b"\x60", bytes(80), bytes((0x60,)) + bytes(79)])
def test_nothing_raises(packet: bytes) -> None:
    assert discovery(packet, (A, B)) is None
