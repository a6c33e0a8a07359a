"""Read back the conditions of a line of `iptables-save`, as far as they are about addresses, interfaces and ICMP."""

from collections.abc import Collection, Sequence
from ipaddress import ip_address, ip_network
from typing import NamedTuple

_SIDES = ("-s", "-d")
_KNOWN = (*_SIDES, "-i", "-o", "-p", "--icmp-type", "--icmpv6-type")
_SAME_PROTOCOL = {"icmpv6": "ipv6-icmp"}


class Condition(NamedTuple):
    """One option, its value, and whether it is negated."""

    option: str
    value: str
    negated: bool


def conditions(text: str) -> tuple[Condition, ...]:
    """Return the conditions that are known here; the others may be true or not."""
    found: list[Condition] = []
    words = text.split(" ")
    quoted = False
    for at, word in enumerate(words[:-1]):
        # What stands in quotation marks is a comment's or a prefix's.
        if word in _KNOWN and not quoted:
            found.append(Condition(word, words[at + 1], at > 0 and words[at - 1] == "!"))
        quoted ^= word.count('"') % 2 == 1
    return tuple(found)


def may_match(
    asked: Sequence[Condition],
    *,
    source: str | None,
    destination: str | None,
    protocol: str,
    kind: str,
    links: Collection[str],
) -> bool:
    """Say whether a packet between these addresses could meet all conditions.

    `kind` is its ICMP type; `links` are the interfaces of the stack by which it may come and go.
    """
    sides = {"-s": source, "-d": destination}
    for option, value, negated in asked:
        if option in sides:
            address = sides[option]
            # What cannot be told may be.
            meets = address is None or within(address, value) is not False
        elif option in {"-i", "-o"}:
            # Which of them it was is not known: a negated one may be true of another.
            meets = negated or any(named(link, value) for link in links)
            if negated:
                continue
        elif option == "-p":
            meets = _SAME_PROTOCOL.get(value, value) in {protocol, "all", "0"}
        else:
            meets = value == "any" or value.partition("/")[0] == kind
        if meets == negated:
            return False
    return True


def within(address: str, prefix: str) -> bool | None:
    """Say whether an address meets `-s` or `-d`; None of a mask with zeros between its ones, which cannot be told."""
    try:
        return ip_address(address) in ip_network(prefix, strict=False)
    except ValueError:
        return None


def named(link: str, pattern: str) -> bool:
    """Say whether an interface meets `-i` or `-o`: a plus sign stands for any end."""
    return link.startswith(pattern[:-1]) if pattern.endswith("+") else link == pattern
