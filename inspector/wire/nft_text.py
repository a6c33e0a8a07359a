"""Write a rule of nf_tables as `nft list ruleset` does.

1. nft leaves out what the next words say anyhow: `tcp dport` needs no `meta l4proto tcp` before it.
2. What is not known here is named in brackets, and makes every register unknown.
"""

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from inspector.model.text import safe
from inspector.wire.nfnetlink import Rule, attributes, number
from inspector.wire.nft_comparing import EQUAL, GREATER_EQUAL, LESS_EQUAL, NOT_EQUAL, comparison, range_comparison
from inspector.wire.nft_keys import ETHERNET, IPV4, IPV6, Key, ct_key, fib_key, header_keys, meta_key, protocol_of
from inspector.wire.nft_registers import VALUE, VERDICT_REGISTER, WORD, Registers, register_at, value_of
from inspector.wire.nft_sets import read_elements, set_text, verdict_text
from inspector.wire.nft_statements import ENDS, WRITERS, nat_text
from inspector.wire.nft_values import ICMPX_CODES, value_text
from inspector.wire.rule_draft import Family, Names, unread

_VERDICT = 2
"""NFTA_DATA_VERDICT"""
_SET_KEYS = {
    "meta": {3: Key("meta mark", "mark", 4), 12: Key("meta nftrace", "number", 1)},
    "ct": {3: Key("ct mark", "mark", 4)},
}
_SOURCE = {"meta": 3, "ct": 4}
"""NFTA_META_SREG, NFTA_CT_SREG"""
_NAT = {0: "snat", 1: "dnat"}
_V6_LENGTH = 16
_OF_ANY_NETWORK = {"reject with tcp reset", *(f"reject with icmpx {each}" for each in ICMPX_CODES.values())}
_NETWORK_OF = {1: IPV4, 58: IPV6}
"""ICMP's own network protocol"""
_NETWORKS: Mapping[Family, int] = {Family.IPV4: IPV4, Family.IPV6: IPV6}
_FAMILIES = {IPV4: Family.IPV4, IPV6: Family.IPV6}


class Words(Struct):
    """A rule as text, and what else is known of it."""

    text: str
    target: str = ""
    """As in `model.rules.ChainRule`."""
    packets: int | None = None
    whole: bool = True
    """Nothing of it was left unread."""


class _Piece(Struct):
    """A few words of the rule, and which protocol they ask for."""

    text: str
    network: int | None = None
    transport: int | None = None
    implied: bool = False
    """It says nothing that later words do not say."""


def write(rule: Rule, names: Names) -> Words:
    """Write the rule. Nothing raises: what cannot be read is named."""
    machine = _Machine(rule.family, names)
    for expression in rule.expressions:
        machine.run(expression.name, expression.attributes)
    pieces = [each.text for each in machine.pieces if not each.implied]
    if rule.comment:
        pieces.append(f'comment "{safe(rule.comment)}"')
    return Words(" ".join(pieces), machine.target, machine.packets, machine.whole)


class _Machine(Struct):
    family: Family
    names: Names
    pieces: list[_Piece] = field(default_factory=list)
    held: Registers = field(default_factory=Registers)
    network: int | None = None
    transport: int | None = None
    target: str = ""
    packets: int | None = None
    whole: bool = True
    low: tuple[Key, bytes] | None = None
    """The lower end of what may become a range."""

    def __post_init__(self) -> None:
        self.network = _NETWORKS.get(self.family)

    def run(self, name: str, found: Mapping[int, bytes]) -> None:
        """Add what one expression says."""
        if not self._run(name, found):
            self.whole = False
            self.pieces.append(_Piece(unread(name)))
            self.held.clear()

    def _run(self, name: str, found: Mapping[int, bytes]) -> bool:
        if name in _SOURCE and 1 not in found:
            return self._assign(name, found)
        match name:
            case "payload" | "meta" | "ct" | "fib":
                return self._load(name, found)
            case "nat" | "masq" | "redir":
                return self._translate(name, found)
        steps: Mapping[str, Callable[[Mapping[int, bytes]], bool]] = {
            "counter": self._count,
            "bitwise": self._mask,
            "byteorder": self._swap,
            "cmp": self._compare,
            "range": self._range,
            "lookup": self._look_up,
            "immediate": self._immediate,
        }
        step = steps.get(name)
        return step(found) if step else self._state(name, found)

    def _count(self, found: Mapping[int, bytes]) -> bool:
        """Write what it counted (NFTA_COUNTER_*: 1 bytes, 2 packets)."""
        self.packets = number(found.get(2)) or 0
        return self._say(f"counter packets {self.packets} bytes {number(found.get(1)) or 0}")

    def _state(self, name: str, found: Mapping[int, bytes]) -> bool:
        self.target = ENDS.get(name, self.target)
        writer = WRITERS.get(name)
        text = writer(found, _FAMILIES.get(self.network or 0, self.family)) if writer else None
        if name == "reject" and text and text not in _OF_ANY_NETWORK and self.family is Family.INET:
            for piece in self.pieces:
                piece.implied |= piece.network is not None
        return self._say(text)

    def _say(self, text: str | None) -> bool:
        if text is None:
            return False
        self.pieces.append(_Piece(text))
        return True

    def _load(self, name: str, found: Mapping[int, bytes]) -> bool:
        register = register_at(found.get(1))
        match name:
            case "payload":
                loaded = header_keys(found, self.network, self.transport)
            case "meta":
                loaded = tuple(each for each in (meta_key(found),) if each)
            case "ct":
                loaded = tuple(each for each in (ct_key(found, self.family),) if each)
            case _:
                loaded = tuple(each for each in (fib_key(found),) if each)
        if not loaded:
            return False
        self.held.load(register, loaded)
        return True

    def _mask(self, found: Mapping[int, bytes]) -> bool:
        """Keep a mask for the comparison (NFTA_BITWISE_*: 1 source, 2 destination, 4 mask, 5 xor, 6 operation)."""
        key = self.held.keys.get(register_at(found.get(1)))
        mask, toggled = value_of(found.get(4)), value_of(found.get(5))
        if key is None:
            return not self.whole
        if key.mask is not None or not mask or any(toggled) or number(found.get(6)):
            return False
        register = register_at(found.get(2))
        self.held.load(register, (key._replace(mask=mask),))
        return True

    def _swap(self, found: Mapping[int, bytes]) -> bool:
        """Turn a number of the processor's byte order around, so that it can be compared by size."""
        key = self.held.keys.get(register_at(found.get(1)))
        if key is None:
            return not self.whole
        if key.kind != "number-native" or key.mask is not None:
            return False
        register = register_at(found.get(2))
        self.held.load(register, (key._replace(kind="number"),))
        return True

    def _compare(self, found: Mapping[int, bytes]) -> bool:
        """Write a comparison (NFTA_CMP_*: 1 register, 2 operation, 3 value)."""
        data, operation = value_of(found.get(3)), number(found.get(2))
        keys = self.held.behind(register_at(found.get(1)), 1)
        if keys and operation == LESS_EQUAL and self._closes(keys[0], data):
            return True
        several = sum(key.length for key in keys) == len(data) and len(keys) > 1
        if several and operation != EQUAL:
            return False
        at = 0
        for key in keys if several else keys[:1]:
            part = data[at : at + key.length] if several else data
            text = comparison(key, operation, part, self.names)
            if text is None:
                return False
            self._add(text, (key,), part if operation == EQUAL and key.mask is None else b"")
            self.low = (key, part) if operation == GREATER_EQUAL else None
            at += key.length
        return bool(keys) or not self.whole

    def _closes(self, key: Key, data: bytes) -> bool:
        """Say whether this is the upper end of a range whose lower end has just been written, and write it."""
        low, self.low = self.low, None
        if low is None or low[0] != key:
            return False
        text = range_comparison(key, low[1], data, self.names)
        if text is not None:
            self.pieces[-1].text = text
        return text is not None

    def _range(self, found: Mapping[int, bytes]) -> bool:
        """Write a comparison with a range (NFTA_RANGE_*: 1 register, 2 operation, 3 from, 4 to)."""
        key = self.held.keys.get(register_at(found.get(1)))
        if key is None:
            return not self.whole
        ends = value_of(found.get(3)), value_of(found.get(4))
        text = range_comparison(key, *ends, self.names, negated=number(found.get(2)) == NOT_EQUAL)
        if text is None:
            return False
        self._add(text, (key,))
        return True

    def _look_up(self, found: Mapping[int, bytes]) -> bool:
        """Write a set or map (NFTA_LOOKUP_*: 1 set, 2 register, 3 destination register, 5 flags)."""
        keys = self.held.behind(register_at(found.get(2)), WORD)
        name = found.get(1, b"").partition(b"\0")[0]
        if not keys:
            return not self.whole
        if any(key.mask is not None or key.whole for key in keys):
            return False
        mapping = 3 in found  # noqa: PLR2004 - the destination register
        if mapping and register_at(found[3]) != VERDICT_REGISTER:
            return False
        among = self._set(name, keys, mapping=mapping)
        if among is None:
            return False
        words = " . ".join(key.words for key in keys)
        how = "vmap " if mapping else "!= " if (number(found.get(5)) or 0) & 1 else ""
        self._add(f"{words} {how}{among}", keys)
        return True

    def _set(self, name: bytes, keys: tuple[Key, ...], *, mapping: bool) -> str | None:
        if not name.startswith((b"__set", b"__map")):
            return f"@{safe(name)}"
        lists = self.names.elements(name)
        if lists is None:
            return None
        elements = tuple(element for each in lists for element in read_elements(each))
        return set_text(keys, elements, self.names, mapping=mapping)

    def _add(self, text: str, keys: tuple[Key, ...], equal: bytes = b"") -> None:
        """Add words about keys; words before them that only named the keys' protocol are implied now."""
        for key in keys:
            network = _NETWORK_OF.get(key.transport or 0, key.network)
            for piece in self.pieces:
                asked = piece.network is not None and piece.network == network
                piece.implied |= asked or (piece.transport is not None and piece.transport == key.transport)
        network, transport = protocol_of(keys[0], equal) if equal else (None, None)
        self.network = self.network if network in {None, ETHERNET} else network
        self.transport = self.transport if transport is None else transport
        self.pieces.append(_Piece(text, network, transport))

    def _assign(self, name: str, found: Mapping[int, bytes]) -> bool:
        """Set a mark: to a value, or to what another key holds."""
        key = _SET_KEYS[name].get(number(found.get(2)) or 0)
        register = register_at(found.get(_SOURCE[name]))
        if key is None:
            return False
        if register in self.held.values:
            text = value_text(key.kind, self.held.values[register], self.names)
        else:
            other = self.held.keys.get(register)
            text = other.words if other and other.mask is None else None
        return self._say(f"{key.words} set {text}" if text else None)

    def _immediate(self, found: Mapping[int, bytes]) -> bool:
        register, data = register_at(found.get(1)), attributes(found.get(2, b""))
        if _VERDICT not in data:
            self.held.set(register, data.get(VALUE, b""))
            return True
        verdict = verdict_text(attributes(data[_VERDICT]))
        if verdict is None:
            return False
        word, _, chain = verdict.partition(" ")
        self.target = chain or ("" if word == "continue" else word.upper())
        return self._say(verdict)

    def _translate(self, name: str, found: Mapping[int, bytes]) -> bool:
        """Write a translation: which attributes hold the registers and flags differs."""
        at = {"nat": (3, 4, 5, 6, 7), "masq": (0, 0, 2, 3, 1), "redir": (0, 0, 1, 2, 3)}[name]
        low, high, port, last_port = (
            self.held.values.get(register_at(found[each])) if each in found else None for each in at[:4]
        )
        if any(each in found and self.held.values.get(register_at(found[each])) is None for each in at[:4]):
            return False
        verb = {"masq": "masquerade", "redir": "redirect"}.get(name) or _NAT.get(number(found.get(1)) or 0, "")
        if name == "nat" and self.family is Family.INET and low is not None:
            verb += " ip6" if len(low) == _V6_LENGTH else " ip"
        self.target = {"masq": "MASQUERADE", "redir": "REDIRECT"}.get(name, verb[:4].upper())
        return self._say(nat_text(verb, (low, high), (port, last_port), number(found.get(at[4])) or 0))
