"""What the registers of nf_tables hold while a rule is read: keys (what was loaded) or values (what is to be set)."""

from collections.abc import Iterable

from msgspec import Struct, field

from inspector.wire.nfnetlink import attributes, number
from inspector.wire.nft_keys import Key

VALUE = 1
"""NFTA_DATA_VALUE"""
VERDICT_REGISTER, WORD = -1, 4
_LOWEST_32, _WIDE = 8, 16
"""linux/netfilter/nf_tables.h, enum nft_registers: NFT_REG32_00; bytes of NFT_REG_1 and its like."""


class Registers(Struct):
    """By where they begin, in bytes."""

    keys: dict[int, Key] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)

    def clear(self) -> None:
        """Forget all: something was done that cannot be read."""
        self.keys.clear()
        self.values.clear()

    def load(self, register: int, loaded: Iterable[Key]) -> None:
        """Put keys one behind the other from a register on; what lay there and behind is gone."""
        self.keys = {at: key for at, key in self.keys.items() if at < register}
        for key in loaded:
            self.keys[register] = key
            register += key.length

    def set(self, register: int, value: bytes) -> None:
        """Put a value there."""
        self.load(register, ())
        self.values[register] = value

    def behind(self, register: int, aligned: int) -> tuple[Key, ...]:
        """Return the keys that lie one behind the other from a register on."""
        keys: list[Key] = []
        while (key := self.keys.get(register)) is not None:
            keys.append(key)
            register += key.length + -key.length % aligned
        return tuple(keys)


def register_at(raw: bytes | None) -> int:
    """Return where a register begins, in bytes: 1 to 4 hold 16 each, from 8 on each holds four of the same bytes."""
    register = number(raw) or 0
    if register == 0:
        return VERDICT_REGISTER
    return (register - _LOWEST_32) * WORD if register >= _LOWEST_32 else (register - 1) * _WIDE


def value_of(raw: bytes | None) -> bytes:
    """Return what a data attribute holds."""
    return attributes(raw or b"").get(VALUE, b"")
