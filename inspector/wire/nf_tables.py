"""Read what a rule of nf_tables does, expression by expression, as the kernel would run it.

1. A register holds where its content is from, not a value: what it is compared with makes the text.
2. Written by iptables-nft or by nft, the same comparison becomes the same text.
3. An expression that is not known here is named in the text, and may have written to any register.
"""

from collections.abc import Mapping

from msgspec import Struct, field

from inspector.wire.nat_range import KNOWN_FLAGS, NatRange, rewrite
from inspector.wire.nfnetlink import Rule, attributes, number, text
from inspector.wire.nft_compare import Loaded, Part, compare, compare_range
from inspector.wire.rule_draft import Draft, Family, Names, Term, unread
from inspector.wire.xt import read_match, read_target
from inspector.wire.xt_matches import LIMIT_SCALE, limit_terms
from inspector.wire.xt_targets import log_words, nflog_words
from inspector.wire.xt_words import quoted

_VERDICTS: Mapping[int | None, str] = {0: "DROP", 1: "ACCEPT", 3: "QUEUE", -5: "RETURN"}
_CONTINUE, _JUMP, _GOTO = -1, -3, -4
"""NF_* (linux/netfilter.h), and enum nft_verdicts."""
_VALUE, _VERDICT, _CODE, _CHAIN = 1, 2, 1, 2
"""NFTA_DATA_*, NFTA_VERDICT_*"""
_LOWEST_32, _FOURS = 8, 4
"""Registers 1 to 4 hold 16 bytes each; from 8 on, the same bytes are counted in fours (enum nft_registers)."""

_NETWORK, _TRANSPORT = 1, 2
"""enum nft_payload_bases"""
_FIELDS: Mapping[tuple[Family | None, int], tuple[tuple[str, int, int], ...]] = {
    (Family.IPV4, _NETWORK): (("-f", 6, 2), ("protocol", 9, 1), ("-s", 12, 4), ("-d", 16, 4)),
    (Family.IPV6, _NETWORK): (("protocol", 6, 1), ("-s", 8, 16), ("-d", 24, 16)),
    (None, _TRANSPORT): (("--sport", 0, 2), ("--dport", 2, 2), ("--tcp-flags", 13, 1)),
}
"""Name, offset and length of header fields (RFC 791, 3.1; RFC 8200, 3; ports lie alike in all that have any)."""
_META = {3: Part("--mark", 4), 6: Part("-i", 16), 7: Part("-o", 16), 15: Part("nfproto", 1), 16: Part("protocol", 1)}
"""enum nft_meta_keys"""
_CT_STATE = 0
_FIB_ADDRTYPE = 3
_FIB_SIDES = {1: "--src-type", 2: "--dst-type"}
_FIB_LIMITS = {0: None, 8: "--limit-iface-in", 16: "--limit-iface-out"}
"""NFTA_FIB_F_SADDR and _DADDR; _IIF and _OIF"""
_NAT_TYPES: Mapping[int | None, str] = {0: "SNAT", 1: "DNAT"}
_ADDRESS_LENGTHS: tuple[set[int], ...] = (set(), {4}, {16})
_PORT_LENGTH = 2
_COUNTER_PACKETS = 2
_META_NFTRACE, _META_SOURCE = 12, 3
_LOG_GROUP, _LOG_PREFIX, _LOG_SIZE, _LOG_THRESHOLD, _LOG_LEVEL, _LOG_FLAGS = range(1, 7)
_KNOWN_LOG = {1, 2, 3, 4, 5, 6}
_USUAL_LEVEL = b"\4"
"""NFTA_COUNTER_*, NFTA_META_*, NFTA_LOG_*; LOG_WARNING"""
_UNKNOWN = b""
"""What a register holds that no `immediate` wrote to: a map's answer, for one."""


def decode(rule: Rule, names: Names | None = None) -> Draft:
    """Read the rule. Nothing raises: what cannot be read is named."""
    machine = _Machine(Draft(rule.family, names=names or Names()))
    for expression in rule.expressions:
        machine.run(expression.name, expression.attributes)
    if rule.comment:
        machine.draft.add_match("comment", Term("--comment", quoted(rule.comment)))
    return machine.draft


class _Machine(Struct):
    """The registers, and what came of the rule so far."""

    draft: Draft
    loaded: dict[int, Loaded] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)
    """What `immediate` put into registers."""

    def run(self, name: str, found: Mapping[int, bytes]) -> None:
        match name:
            case "counter":
                self.draft.packets = number(found.get(_COUNTER_PACKETS))
            case "payload" | "meta" | "ct" | "fib" if 1 in found:
                self.loaded[_register(found.get(1))] = self._load(name, found)
            case "bitwise" if {1, 2} <= found.keys():
                self._mask(found)
            case "cmp":
                compare(self.draft, self._in(found.get(1), name), number(found.get(2)), _value(found.get(3)))
            case "range":
                low, high = _value(found.get(3)), _value(found.get(4))
                compare_range(self.draft, self._in(found.get(1), name), number(found.get(2)), low, high)
            case "immediate":
                self._immediate(found)
            case _:
                self._act(name, found)

    def _act(self, name: str, found: Mapping[int, bytes]) -> None:
        if self.draft.target is not None:
            # A rule of iptables has one target; this one does something else before.
            self.draft.add_unread(self.draft.target.lower())
        match name:
            case "match":
                read_match(self.draft, text(found.get(1, b"")), number(found.get(2)) or 0, found.get(3, b""))
            case "target":
                read_target(self.draft, text(found.get(1, b"")), number(found.get(2)) or 0, found.get(3, b""))
            case "nat":
                kind = _NAT_TYPES.get(number(found.get(1)), unread(name))
                self._nat(kind, name, [found.get(each) for each in (3, 4, 5, 6, 7)])
            case "masq":
                self._nat("MASQUERADE", name, [None, None, *(found.get(each) for each in (2, 3, 1))])
            case "redir":
                self._nat("REDIRECT", name, [None, None, *(found.get(each) for each in (1, 2, 3))])
            case "limit" if (terms := _limit(found)) is not None:
                self.draft.add_match("limit", *terms)
            case "log" if found.keys() <= _KNOWN_LOG:
                self._log(found)
            case "meta" if number(found.get(2)) == _META_NFTRACE and _META_SOURCE in found:
                self.draft.target = "TRACE"
            case _:
                self.draft.add_unread(name)
                self.loaded.clear()
                self.values.clear()

    def _log(self, found: Mapping[int, bytes]) -> None:
        prefix = found.get(_LOG_PREFIX, b"")
        if _LOG_GROUP in found:
            sizes = (number(found.get(each)) or 0 for each in (_LOG_GROUP, _LOG_SIZE, _LOG_THRESHOLD))
            self.draft.target, self.draft.target_words = "NFLOG", nflog_words(prefix, *sizes)
        else:
            level = number(found.get(_LOG_LEVEL, _USUAL_LEVEL))
            flags = number(found.get(_LOG_FLAGS)) or 0
            self.draft.target, self.draft.target_words = "LOG", log_words(prefix, level or 0, flags)

    def _in(self, register: bytes | None, name: str) -> Loaded:
        return self.loaded.get(_register(register), Loaded(name))

    def _load(self, name: str, found: Mapping[int, bytes]) -> Loaded:
        """Say what a register will hold: attribute 1 is the register, wherever there is one."""
        match name:
            case "payload":
                base, offset, length = (number(found.get(each)) or 0 for each in (2, 3, 4))
                family = self.draft.family if base == _NETWORK else None
                return Loaded(name, _fields(_FIELDS.get((family, base), ()), offset, length))
            case "meta":
                part = _META.get(number(found.get(2)) or 0)
                return Loaded(name, (part,) if part else ())
            case "ct" if number(found.get(2)) == _CT_STATE:
                return Loaded(name, (Part("--ctstate", 4),))
            case "fib" if number(found.get(2)) == _FIB_ADDRTYPE:
                flags = number(found.get(3)) or 0
                side, limit = _FIB_SIDES.get(flags & 3), flags & ~3
                known = side is not None and limit in _FIB_LIMITS
                return Loaded(name, (Part(side, 4, _FIB_LIMITS[limit]),) if side and known else ())
        return Loaded(name)

    def _mask(self, found: Mapping[int, bytes]) -> None:
        """Keep a mask for the comparison (NFTA_BITWISE_*: 1 source, 2 destination, 4 mask, 5 xor, 6 operation)."""
        before = self._in(found.get(1), "bitwise")
        mask, toggled = _value(found.get(4)), _value(found.get(5))
        plain = mask and not any(toggled) and not number(found.get(6)) and before.mask is None
        after = before._replace(mask=mask) if plain else Loaded("bitwise")
        self.loaded[_register(found.get(2))] = after

    def _immediate(self, found: Mapping[int, bytes]) -> None:
        register, data = _register(found.get(1)), attributes(found.get(2, b""))
        if _VERDICT not in data:
            self.values[register] = data.get(_VALUE, b"")
            self.loaded.pop(register, None)
            return
        if self.draft.target is not None:
            self.draft.add_unread(self.draft.target.lower())
        verdict = attributes(data[_VERDICT])
        code = int.from_bytes(verdict[_CODE], "big", signed=True) if _CODE in verdict else None
        if code in {_JUMP, _GOTO}:
            self.draft.target = text(verdict.get(_CHAIN, b"")) or unread("chain")
            self.draft.goes = code == _GOTO
        elif code != _CONTINUE:
            self.draft.target = _VERDICTS.get(code, unread("verdict"))

    def _nat(self, target: str, name: str, found: list[bytes | None]) -> None:
        """Set the target: `found` are the registers of addresses and ports, low and high, and the flags."""
        *registers, flags = found
        low, high, low_port, high_port = (
            self.values.get(_register(each), _UNKNOWN) if each else None for each in registers
        )
        to = NatRange(
            low=low,
            high=low if high is None else high,
            low_port=number(low_port),
            high_port=number(low_port if high_port is None else high_port),
            flags=number(flags) or 0,
        )
        lengths = {len(each) for each in (to.low, to.high) if each is not None}
        port_lengths = {len(each) for each in (low_port, high_port) if each is not None}
        if to.flags & ~KNOWN_FLAGS or lengths not in _ADDRESS_LENGTHS or not port_lengths <= {_PORT_LENGTH}:
            self.draft.target, self.draft.target_words = target, [unread(name)]
        else:
            rewrite(self.draft, target, to)


def _limit(found: Mapping[int, bytes]) -> list[Term] | None:
    """Read a rate (NFTA_LIMIT_*: 1 rate, 2 seconds, 3 burst, 4 type, 5 flags); None where iptables has no such."""
    rate, seconds, burst, kind, flags = (number(found.get(each)) or 0 for each in range(1, 6))
    return None if kind or flags or not rate else limit_terms(seconds * LIMIT_SCALE // rate, burst)


def _fields(known: tuple[tuple[str, int, int], ...], offset: int, length: int) -> tuple[Part, ...]:
    """Say which header fields a load covers, from the beginning of the first; none where one is not known.

    nft loads neighbouring fields at once, and of an address only the bytes that a prefix covers.
    """
    parts: list[Part] = []
    end = offset + length
    while offset < end:
        field_here = next((each for each in known if each[1] == offset), None)
        if field_here is None:
            return ()
        name, _, whole = field_here
        taken = min(whole, end - offset)
        if taken < whole and name not in {"-s", "-d"}:
            return ()
        parts.append(Part(name, taken))
        offset += taken
    return tuple(parts)


def _register(raw: bytes | None) -> int:
    """Count registers in fours, so that both ways to name one agree; -1 is the verdict's."""
    register = number(raw) or 0
    if register == 0:
        return -1
    return register - _LOWEST_32 if register >= _LOWEST_32 else (register - 1) * _FOURS


def _value(raw: bytes | None) -> bytes:
    return attributes(raw or b"").get(_VALUE, b"")
