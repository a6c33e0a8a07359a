"""Read the files that a libc's resolver goes by: /etc/hosts, /etc/resolv.conf, /etc/nsswitch.conf. Never raises.

1. A line that libc skips is skipped: no address, no known word, cut off.
2. What glibc and musl read differently, `libc` decides.
3. The comment in which the engine notes where the embedded DNS forwards to is read too; no libc does that.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from msgspec.structs import replace

from inspector.model.lookup import HostsLine, Libc, Nameservers, Service, Status, Upstream
from inspector.model.text import safe

MAX_SERVERS = 3
"""MAXNS, the same in both libcs (resolv.h; musl's src/network/lookup.h)."""
MAX_SEARCH = 32
"""Search domains kept. glibc 2.26 and later know no limit, older ones 6."""
MAX_UPSTREAMS = 16

_GLIBC_LIMITS = {"ndots": 15, "timeout": 30, "attempts": 5}
"""RES_MAXNDOTS, RES_MAXRETRANS, RES_MAXRETRY (resolv.h)."""
_MUSL_LIMITS = {"ndots": 15, "timeout": 60, "attempts": 10}
"""musl's src/network/resolvconf.c."""

_EXTERNAL = re.compile(r"#\s*ExtServers:\s*\[(.*)\]")
"""As Engine 25 and later write it: `# ExtServers: [10.0.0.53 host(127.0.0.53)]` (moby, libnetwork's resolvconf.go)."""
_DATABASE = re.compile(r"\s*([^\s:]+)(?:\s*:|\s)(.*)")
_FLAGS = (
    ("rotate", "rotate"),
    ("edns0", "edns0"),
    ("single-request-reopen", "single_request_reopen"),
    ("single-request", "single_request"),
    ("no_tld_query", "no_tld_query"),
    ("no-tld-query", "no_tld_query"),
    ("no-aaaa", "no_aaaa"),
    ("use-vc", "use_tcp"),
)
"""An option is known by its start, and the first that fits counts (res_setoptions in glibc's res_init.c)."""
_CRITERION = re.compile(r"(!?)([^\s=\]]+)\s*=\s*([^\s=\]]+)\s*")


def read_hosts(text: str) -> tuple[HostsLine, ...]:
    """Return the lines of /etc/hosts that give an address a name (hosts(5))."""
    found: list[HostsLine] = []
    for number, line in enumerate(text.split("\n"), start=1):
        words = line.partition("#")[0].split()
        if len(words) > 1 and _address(words[0]) is not None:
            found.append(HostsLine(number, safe(words[0]), tuple(safe(each) for each in words[1:])))
    return tuple(found)


def read_resolv_conf(text: str, *, libc: Libc = Libc.GLIBC, hostname: str = "") -> Nameservers:
    """Return what /etc/resolv.conf says (resolv.conf(5)).

    Without `search` and `domain`, glibc searches the domain of the machine's `hostname`, where that has one.
    """
    servers: list[str] = []
    search: tuple[str, ...] = ()
    found = Nameservers()
    for line in text.split("\n"):
        words = line.split()
        if line.startswith("#"):
            found = replace(found, forwards_to=_upstreams(line) or found.forwards_to)
        elif len(words) < 2 or line[0] in "; \t":  # noqa: PLR2004 - a word and its value
            continue
        elif words[0] == "nameserver" and _server(words[1]):
            servers.append(safe(words[1]))
        elif words[0] == "search" or (words[0] == "domain" and libc is Libc.MUSL):
            search = tuple(safe(each) for each in words[1 : MAX_SEARCH + 1])
        elif words[0] == "domain":
            search = (safe(words[1]),)
        elif words[0] == "options":
            found = _musl_options(found, line) if libc is Libc.MUSL else _glibc_options(found, words[1:])
    if not search and libc is Libc.GLIBC and "." in hostname:
        search = (safe(hostname.partition(".")[2]),)
    return replace(found, addresses=tuple(servers[:MAX_SERVERS]) or found.addresses, search=search)


def read_nsswitch(text: str) -> tuple[Service, ...] | None:
    """Return the mechanisms of the last `hosts:` line (nsswitch.conf(5)); None where there is none.

    An empty tuple where the line is malformed: glibc then asks nobody at all (nss_action_parse). A `#` behind the
    mechanisms starts no comment: it is one more, which is not there (measured with glibc 2.36). The colon may be
    missing (process_line in nss/nss_database.c).
    """
    found: tuple[Service, ...] | None = None
    for line in text.split("\n"):
        listed = _DATABASE.match(line)
        if listed and listed[1] == "hosts":
            found = _services(listed[2])
    return found


def _address(word: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(word) if "%" not in word else None
    except ValueError:
        return None


def _server(word: str) -> bool:
    """Whether it is an address, an IPv6 one perhaps with a scope."""
    address, _, scope = word.partition("%")
    found = _address(address)
    return found is not None and (not scope or isinstance(found, IPv6Address))


def _upstreams(comment: str) -> tuple[Upstream, ...]:
    listed = _EXTERNAL.match(comment)
    found: list[Upstream] = []
    for word in listed[1].split()[:MAX_UPSTREAMS] if listed else ():
        from_host = word.startswith("host(") and word.endswith(")")
        address = word[len("host(") : -1] if from_host else word
        if _server(address):
            found.append(Upstream(safe(address), from_host=from_host))
    return tuple(found)


def _glibc_options(found: Nameservers, options: list[str]) -> Nameservers:
    for option in options:
        word, colon, value = option.partition(":")
        if colon and word in _GLIBC_LIMITS:
            found = _number(found, word, min(_leading_number(value), _GLIBC_LIMITS[word]))
            continue
        flag = next((field for start, field in _FLAGS if option.startswith(start)), None)
        if flag is not None:
            found = _set(found, flag)
    both = found.single_request or found.single_request_reopen
    return replace(found, single_request=both)


def _musl_options(found: Nameservers, line: str) -> Nameservers:
    """Find the three options that musl knows, anywhere on the line (its __get_resolv_conf)."""
    for word, limit in _MUSL_LIMITS.items():
        value = line.partition(f"{word}:")[2]
        if value[:1].isdigit():
            found = _number(found, word, min(_leading_number(value), limit))
    return found


def _set(found: Nameservers, flag: str) -> Nameservers:
    changed: dict[str, Any] = {flag: True}
    return replace(found, **changed)


def _number(found: Nameservers, word: str, value: int) -> Nameservers:
    if word == "ndots":
        return replace(found, ndots=max(value, 0))
    if word == "timeout":
        return replace(found, timeout_s=float(value))
    return replace(found, attempts=max(value, 0))


def _leading_number(text: str) -> int:
    """Read a number as atoi(3) does, 0 where there is none."""
    digits = re.match(r"[+-]?[0-9]{1,9}", text)
    return int(digits[0]) if digits else 0


def _services(line: str) -> tuple[Service, ...]:
    found: list[Service] = []
    for name, criteria in _written(line):
        ends_on = {Status.SUCCESS: True}
        if criteria is not None and not _understand(criteria, ends_on):
            return ()
        found.append(Service(safe(name), tuple(status for status in Status if ends_on.get(status))))
    return tuple(found)


def _written(line: str) -> Iterator[tuple[str, str | None]]:
    """Part `files mdns4 [NOTFOUND=return] dns` into names and what is in the brackets behind each."""
    for part in re.finditer(r"([^\s\[]+)\s*(?:\[([^\]]*)(\]|$))?", line):
        yield part[1], None if part[2] is None else part[2] if part[3] else ""


def _understand(criteria: str, ends_on: dict[Status, bool]) -> bool:
    """Apply `[!]STATUS=ACTION ...`; return whether it could be read. `merge` ends a lookup of hosts."""
    position, criteria = 0, criteria.strip()
    known = {each.value: each for each in Status}
    while position < len(criteria):
        one = _CRITERION.match(criteria, position)
        if one is None or one[2].lower() not in known or one[3].lower() not in {"return", "continue", "merge"}:
            return False
        named, ends = known[one[2].lower()], one[3].lower() != "continue"
        for status in Status:
            if (status is not named) if one[1] else (status is named):
                ends_on[status] = ends
        position = one.end()
    return position > 0
