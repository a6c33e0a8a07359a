"""Positions are counted in a list that nothing changed meanwhile; what is not there is left out."""

import errno
import struct
from typing import Any, Self

import pytest
from firewall_bytes import be32, message, nested, verdict
from firewall_bytes import rule as rule_bytes

from inspector.errors import InspectorError, PrivilegeError
from inspector.model.topology import HOST
from inspector.netfilter import asking
from inspector.netfilter.chains import WHOLE, read_chains

NEW_CHAIN, DONE, ERROR, INTERRUPTED = 0xA03, 3, 2, 0x10
WHERE = ("ip", "mine", "OWN")


def ended(number: int = 0, flags: int = 0, kind: int = DONE) -> bytes:
    return struct.pack("=IHHIIi", 20, kind, flags, 0, 0, -number)


def rule(handle: int) -> bytes:
    whole = rule_bytes(verdict(0), table=b"mine", chain=b"OWN")
    added = struct.pack("=HHQ", 12, 3, int.from_bytes(handle.to_bytes(8, "big"), "little"))
    return struct.pack("=I", len(whole) + len(added)) + whole[4:] + added


CHAIN = message(NEW_CHAIN, 2, [(1, b"mine\0"), (3, b"OWN\0"), (4, nested([(1, be32(2)), (2, be32(0))])), (5, be32(1))])
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

    def sendto(self, _: bytes, _address: object) -> None:
        return

    def recv(self, _: int) -> bytes:
        return self.answers.pop(0)


def read(monkeypatch: pytest.MonkeyPatch, *answers: bytes) -> Any:
    monkeypatch.setattr(asking.socket, "socket", lambda *_: Kernel(*answers))
    return read_chains(HOST, [WHERE], {8})


def test_a_rule_has_the_position_that_its_tool_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    many = b"".join(rule(each) for each in range(9, 8 + WHOLE))
    (chain,) = read(monkeypatch, *FOUND, rule(7) + rule(8), many + ended())
    assert chain.size == WHOLE + 1
    assert [(each.handle, each.position, each.text, each.target) for each in chain.rules] == [(8, 2, "drop", "DROP")]
    assert chain.hook is not None
    assert (chain.hook.name, chain.hook.policy) == ("forward", "accept")


def test_a_list_that_changed_meanwhile_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = rule(8) + ended(flags=INTERRUPTED)
    (chain,) = read(monkeypatch, *FOUND, changed, rule(7) + rule(8) + ended())
    assert [each.handle for each in chain.rules] == [7, 8]
    with pytest.raises(InspectorError, match="change all the time"):
        read(monkeypatch, *FOUND, *[changed] * 4)


def test_a_chain_that_went_away_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, ended(errno.ENOENT, kind=ERROR)) == ()


def test_what_the_kernel_refuses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PrivilegeError):
        read(monkeypatch, ended(errno.EPERM, kind=ERROR))
