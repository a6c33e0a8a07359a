"""Say which names are asked for, and in what order, when a program looks one up. Pure.

1. glibc (__res_context_search in resolv/res_query.c): a name with at least `ndots` dots is tried as it is first and
   with each search domain then; one with fewer the other way round. A trailing dot means: as it is, and nothing else.
2. musl (name_from_dns_search in src/network/lookup_name.c): a name with at least `ndots` dots, or a trailing one, is
   tried as it is and never with a search domain; one with fewer is tried as it is last.
3. The search list is for names of machines: the name that belongs to an address is asked for as it is.
4. A name that does not fit into a message (RFC 1035, 3.1) is left out, as both do.
"""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address

from msgspec import Struct

from inspector.model.lookup import Libc, Nameservers
from inspector.wire.dns import InvalidNameError, encode_name, reverse_name

ADDRESSES = ("A", "AAAA")
"""The types that getaddrinfo(3) asks for, in the order in which both libcs send them."""
_LONGEST_LABEL, _LONGEST_NAME = 63, 253


class Candidate(Struct, frozen=True):
    """A name to ask for; `searched` where a search domain was put behind the user's."""

    name: str
    searched: bool = False


def candidates(name: str, nameservers: Nameservers, libc: Libc, types: Collection[str] = ADDRESSES) -> tuple[str, ...]:
    """Return the names to try, in order, without their trailing dots; for an address its reverse name.

    The same name may come twice: glibc asks again where the search list holds the root.
    """
    return tuple(each.name for each in names_to_try(name, nameservers, libc, types))


def names_to_try(name: str, nameservers: Nameservers, libc: Libc, types: Collection[str]) -> tuple[Candidate, ...]:
    """Return the candidates, and which of them come from the search list."""
    if as_address(name) is not None:
        return (Candidate(reverse_name(name)),)
    if libc is Libc.GLIBC:
        found = _glibc(name, nameservers)
    elif set(types) <= set(ADDRESSES):
        found = _musl(name, nameservers)
    else:
        # musl's res_search is its res_query: other types are asked for the name as it is.
        found = [Candidate(_bare(name))]
    return tuple(each for each in found if _fits(each.name))


def as_address(word: str) -> IPv4Address | IPv6Address | None:
    """Read a word as an address, its scope left out; None where it is a name."""
    try:
        return ip_address(word.partition("%")[0])
    except ValueError:
        return None


def _glibc(name: str, nameservers: Nameservers) -> list[Candidate]:
    as_it_is = Candidate(_bare(name))
    if name.endswith("."):
        return [as_it_is]
    searched: list[Candidate] = []
    root_listed = False
    for domain in nameservers.search:
        bare = domain.removeprefix(".")
        root_listed = root_listed or not bare
        searched.append(Candidate(_bare(f"{name}.{bare}"), searched=True))
    dots = name.count(".")
    if dots >= nameservers.ndots:
        return [as_it_is, *searched]
    if root_listed or (nameservers.no_tld_query and searched and not dots):
        return searched
    return [*searched, as_it_is]


def _musl(name: str, nameservers: Nameservers) -> list[Candidate]:
    bare = _bare(name)
    if name.endswith(".") or name.count(".") >= nameservers.ndots:
        return [Candidate(bare)]
    return [*(Candidate(_bare(f"{name}.{each}"), searched=True) for each in nameservers.search), Candidate(bare)]


def _bare(name: str) -> str:
    """Return the name without its trailing dot; `.` is the root, and `..` has an empty label and is no name."""
    return {".": ".", "..": ""}.get(name, name.removesuffix("."))


def _fits(name: str) -> bool:
    """Whether the name can be put into a question: a search domain is whatever a container writes."""
    try:
        encode_name(name)
    except InvalidNameError:
        return False
    labels = [each.encode("utf-8", "surrogatepass") for each in name.split(".")]
    return name == "." or (
        all(0 < len(each) <= _LONGEST_LABEL for each in labels)
        and sum(len(each) + 1 for each in labels) - 1 <= _LONGEST_NAME
    )
