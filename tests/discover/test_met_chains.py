"""Positions are counted in a list that nothing changed meanwhile; what is not there is left out."""

import errno
import socket
import struct
from typing import Any, Self

import pytest
from firewall_bytes import be32, message, nested, verdict
from firewall_bytes import rule as rule_bytes

from inspector.discover import met_chains
from inspector.discover.met_chains import read_chains
from inspector.model.rules import Backend, ChainKey
from inspector.model.topology import HOST

NEW_CHAIN, DONE, ERROR, INTERRUPTED = 0xA03, 3, 2, 0x10
KEY = ChainKey(HOST, Backend.NFT, "ip", "filter", "OWN")


def ended(number: int = 0, flags: int = 0, kind: int = DONE) -> bytes:
    return struct.pack("=IHHIIi", 20, kind, flags, 0, 0, -number)


def rule(handle: int) -> bytes:
    whole = rule_bytes(verdict(0), table=b"filter", chain=b"OWN")
    added = struct.pack("=HHQ", 12, 3, int.from_bytes(handle.to_bytes(8, "big"), "little"))
    return struct.pack("=I", len(whole) + len(added)) + whole[4:] + added


CHAIN = message(
    NEW_CHAIN, 2, [(1, b"filter\0"), (3, b"OWN\0"), (4, nested([(1, be32(2)), (2, be32(0))])), (5, be32(1))]
)
FOUND = [CHAIN + ended(kind=ERROR)]


class Kernel:
    """A netlink socket that answers in this order."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return

    def settimeout(self, _: float) -> None:
        return

    def send(self, _: bytes) -> None:
        return

    def recv(self, _: int) -> bytes:
        return self.answers.pop(0)


def read(monkeypatch: pytest.MonkeyPatch, *answers: bytes) -> Any:
    monkeypatch.setattr(met_chains.socket, "socket", lambda *_: Kernel(*answers))
    return read_chains(HOST, (KEY,), {KEY: {8}})


def test_a_rule_has_the_position_that_its_tool_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    (chain,) = read(monkeypatch, *FOUND, rule(7) + rule(8), rule(9) + ended())
    assert chain.size == 3
    assert [(each.handle, each.position, each.text, each.target) for each in chain.rules] == [(8, 2, "-j DROP", "DROP")]
    assert chain.hook is not None
    assert (chain.hook.name, chain.hook.policy) == ("forward", "accept")


def test_a_list_that_changed_meanwhile_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = rule(8) + ended(flags=INTERRUPTED)
    (chain,) = read(monkeypatch, *FOUND, changed, rule(7) + rule(8) + ended())
    assert [each.position for each in chain.rules] == [2]
    with pytest.raises(OSError, match="change all the time"):
        read(monkeypatch, *FOUND, *[changed] * 4)


def test_a_chain_that_went_away_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, ended(errno.ENOENT, kind=ERROR)) == ()


def test_what_the_kernel_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermissionError):
        read(monkeypatch, ended(errno.EPERM, kind=ERROR))
    assert isinstance(socket.AF_NETLINK, int)
