"""A firewall rule while it is read: its parts in the order they come, its text in the order of `iptables-save`."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct, field

from inspector.model.text import safe

PROTOCOLS = {
    1: "icmp",
    2: "igmp",
    4: "ipencap",
    6: "tcp",
    17: "udp",
    33: "dccp",
    41: "ipv6",
    47: "gre",
    50: "esp",
    51: "ah",
    58: "ipv6-icmp",
    132: "sctp",
    136: "udplite",
}
"""As /etc/protocols names them; `iptables-save` writes other numbers as numbers."""
ANY_PORT = (0, 0xFFFF)

_ORDER = ("-s", "-d", "-i", "-o", "-p", "-f")


class Family(StrEnum):
    """What kind of packets a rule sees, as nft names it."""

    IPV4 = "ip"
    IPV6 = "ip6"
    INET = "inet"
    BRIDGE = "bridge"
    ARP = "arp"
    NETDEV = "netdev"


def _nobody(_number: int) -> str | None:
    return None


def _no_set(_name: bytes) -> None:
    return None


class Names(Struct, frozen=True):
    """What the kernel calls what rules name by number; None where there is no such thing."""

    ipset: Callable[[int], str | None] = _nobody
    """By the number of a set of `ipset`."""
    link: Callable[[int], str | None] = _nobody
    """By the ifindex of an interface."""
    elements: Callable[[bytes], Iterable[bytes] | None] = _no_set
    """Of a set of the rule's table, by its name: lists as nf_tables writes them."""


class Term(NamedTuple):
    """One option and its value, maybe negated."""

    option: str
    value: str
    negated: bool = False

    def words(self) -> list[str]:
        """Write it as `iptables-save` does."""
        words = [self.option, self.value] if self.value else [self.option]
        return ["!", *words] if self.negated else words


class Match(Struct):
    """What one match module asks for. No module: the protocol's own, which may be known only at the end."""

    module: str | None
    terms: list[Term] = field(default_factory=list)


class Draft(Struct):
    """One rule, as far as it was read."""

    family: Family
    terms: list[Term] = field(default_factory=list)
    matches: list[Match | str] = field(default_factory=list)
    """Text where a part could not be read."""
    target: str | None = None
    goes: bool = False
    """The target is a chain that does not come back (`-g`)."""
    target_words: list[str] = field(default_factory=list)
    to_address: str | None = None
    to_port: int | None = None
    packets: int | None = None
    """What its counter held."""
    names: Names = field(default_factory=Names)

    def ipset(self, number: int) -> str:
        """Name a set."""
        found = self.names.ipset(number)
        return unread(f"set {number}") if found is None else safe(found)

    def add(self, option: str, value: str, *, negated: bool = False) -> None:
        """Add a condition on addresses, interfaces or the protocol."""
        self.terms.append(Term(option, value, negated))

    def add_match(self, module: str, *terms: Term) -> None:
        """Add what a match module asks for."""
        self.matches.append(Match(module, list(terms)))

    def add_port(self, option: str, low: int, high: int, *, negated: bool = False) -> None:
        """Add a condition on ports, `--sport` or `--dport`, to the match of the rule's protocol."""
        last = self.matches[-1] if self.matches else None
        if not isinstance(last, Match) or last.module is not None:
            last = Match(None)
            self.matches.append(last)
        last.terms.append(Term(option, ports_text(low, high), negated))

    def cap_port(self, option: str, high: int) -> None:
        """Add an upper limit of ports; where a lower one has just been added, both are one range."""
        last = self.matches[-1] if self.matches else None
        if isinstance(last, Match) and last.module is None and last.terms:
            before = last.terms[-1]
            low, _, open_end = before.value.partition(":")
            if before.option == option and not before.negated and open_end == str(ANY_PORT[1]):
                last.terms[-1] = Term(option, ports_text(int(low), high))
                return
        self.add_port(option, ANY_PORT[0], high)

    def add_unread(self, name: str) -> None:
        """Add a part that could not be read, by its name."""
        self.matches.append(unread(name))

    @property
    def unread(self) -> bool:
        """Whether a part of it could not be read."""
        return any(isinstance(each, str) for each in self.matches) or any("[" in each for each in self.target_words)

    def plain(self, option: str) -> str | None:
        """Return the one value that an option has, not negated; None where there is none, or more."""
        found = [each for each in self.terms if each.option == option]
        found += [
            term
            for match in self.matches
            if isinstance(match, Match) and match.module in {None, "tcp", "udp"}
            for term in match.terms
            if term.option == option
        ]
        return found[0].value if len(found) == 1 and not found[0].negated else None

    def text(self, chain: str) -> str:
        """Write the rule as `iptables-save` does."""
        return f"-A {chain} {self.line()}".rstrip()

    def line(self) -> str:
        """Write the rule as `iptables-save` does, without `-A CHAIN`."""
        words: list[str] = []
        for term in sorted(self.terms, key=lambda each: _ORDER.index(each.option)):
            words += term.words()
        for match in self.matches:
            words += [match] if isinstance(match, str) else self._match_words(match)
        if self.target is not None:
            words += ["-g" if self.goes else "-j", self.target, *self.target_words]
        return " ".join(words)

    def _match_words(self, match: Match) -> list[str]:
        module = match.module or self.plain("-p") or unread("protocol")
        return ["-m", module, *(word for term in match.terms for word in term.words())]


class Placed(NamedTuple):
    """A rule and its place."""

    table: str
    chain: str
    position: int
    """Within its chain, counted from 1."""
    draft: Draft


def ports_text(low: int, high: int) -> str:
    """Write one port, or a range of them, as `iptables-save` does."""
    return str(low) if low == high else f"{low}:{high}"


def unread(name: str) -> str:
    """Write the name of what could not be read."""
    return f"[{safe(name)}]"


def protocol_name(number: int) -> str:
    """Name an IP protocol as `iptables-save` does."""
    return PROTOCOLS.get(number, str(number))
