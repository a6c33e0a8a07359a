"""Say what answers before DNS is asked, and what after it: the order of /etc/nsswitch.conf. Pure.

1. musl knows no nsswitch.conf: /etc/hosts, then DNS (__lookup_name in src/network/lookup_name.c).
2. glibc (get_nss_addresses in nss/getaddrinfo.c) goes on to the next mechanism unless the status of the last one
   ends the lookup, and forgets what an earlier one found where it goes on.
3. A mechanism other than `files` and `dns` is a library that images seldom have: it counts as unavailable, and is
   named.
4. The order is for addresses and for names of addresses. Who wants another type asks DNS directly.
5. Where nothing gives an order, it is FILES_THEN_DNS. glibc before 2.35 then had `dns [!UNAVAIL=return] files`: there
   /etc/hosts counts only where no server can be asked.
"""

from collections.abc import Iterable

from msgspec import Struct

from inspector.model.lookup import Ending, HostsLine, Libc, ResolverSetup, Service, Status, Wanted
from inspector.plan.candidates import ADDRESSES, as_address

POINTER = "PTR"
_HOSTS = "/etc/hosts"


class Turn(Struct, frozen=True):
    """What the mechanisms up to `dns`, or those behind it, come to."""

    hosts: tuple[HostsLine, ...] = ()
    """The lines of /etc/hosts that answer."""
    asks: bool = False
    """Whether DNS is asked next."""
    unknown: tuple[str, ...] = ()
    """Mechanisms that were passed over, because they are neither `files` nor `dns`."""


def before_dns(setup: ResolverSetup, wanted: Wanted) -> Turn:
    """Return what answers without DNS, and whether DNS is asked."""
    if not set(wanted.types) <= {*ADDRESSES, POINTER}:
        return Turn(asks=True)
    if as_address(wanted.name) is not None and POINTER not in wanted.types:
        return Turn()
    if setup.libc is Libc.MUSL:
        lines = hosts_match(setup.hosts, wanted.name, wanted.types, Libc.MUSL)
        return Turn(hosts=lines, asks=not lines and not _named(setup, wanted))
    return _walk(setup, wanted, setup.services)


def after_dns(setup: ResolverSetup, wanted: Wanted, ending: Ending) -> Turn:
    """Return what answers where DNS was asked and came to this end: nothing, but in an order such as `dns files`."""
    names = setup.order
    if setup.libc is Libc.MUSL or ending is Ending.ANSWERED or "dns" not in names or not before_dns(setup, wanted).asks:
        return Turn()
    position = names.index("dns")
    if _status(ending) in setup.services[position].ends_on:
        return Turn()
    return _walk(setup, wanted, [each for each in setup.services[position + 1 :] if each.name != "dns"])


def hosts_match(
    lines: Iterable[HostsLine], name: str, types: Iterable[str], libc: Libc = Libc.GLIBC
) -> tuple[HostsLine, ...]:
    """Return the lines that answer: all of the families asked for, or the first that has the address.

    glibc compares without regard to case and says 127.0.0.1 for `::1` where IPv4 alone is asked for (LINE_PARSER in
    nss/nss_files/files-hosts.c); musl compares exactly (name_from_hosts).
    """
    wanted = set(types)
    address = as_address(name)
    found: list[HostsLine] = []
    for line in lines:
        own = as_address(line.address)
        if own is None:
            continue
        if address is not None:
            if POINTER in wanted and own == address:
                return (line,)
        elif _says(line, name, libc) and (
            _type(line) in wanted or (libc is Libc.GLIBC and own.is_loopback and wanted == {"A"})
        ):
            found.append(line)
    return tuple(found)


def _walk(setup: ResolverSetup, wanted: Wanted, services: Iterable[Service]) -> Turn:
    """Ask one mechanism after the other, until one ends the lookup or DNS is next."""
    unknown: list[str] = []
    lines: tuple[HostsLine, ...] = ()
    for service in services:
        lines = ()
        if service.name == "dns":
            return Turn(asks=True, unknown=tuple(unknown))
        if service.name == "files":
            lines = hosts_match(setup.hosts, wanted.name, wanted.types)
            status = Status.SUCCESS if lines else _file_status(setup)
        else:
            unknown.append(service.name)
            status = Status.UNAVAILABLE
        if status in service.ends_on:
            break
    return Turn(hosts=lines, unknown=tuple(unknown))


def _file_status(setup: ResolverSetup) -> Status:
    unread = any(each.path == _HOSTS and each.text is None for each in setup.files)
    return Status.UNAVAILABLE if unread else Status.NOT_FOUND


def _status(ending: Ending) -> Status:
    """Say an ending as nss_dns does (_nss_dns_gethostbyname4_r in resolv/nss_dns/dns-host.c)."""
    match ending:
        case Ending.ANSWERED:
            return Status.SUCCESS
        case Ending.NO_DATA | Ending.NO_SUCH_NAME | Ending.UNASKED:
            return Status.NOT_FOUND
        case Ending.SERVER_FAILED | Ending.REFUSED | Ending.TIMED_OUT | Ending.UNREACHABLE:
            return Status.UNAVAILABLE


def _named(setup: ResolverSetup, wanted: Wanted) -> bool:
    """Whether /etc/hosts has the name at all: musl then says that it has no data of the family, and stops."""
    return POINTER not in wanted.types and bool(hosts_match(setup.hosts, wanted.name, ADDRESSES, Libc.MUSL))


def _says(line: HostsLine, name: str, libc: Libc) -> bool:
    if libc is Libc.MUSL:
        return name in line.names
    return name.lower() in {each.lower() for each in line.names}


def _type(line: HostsLine) -> str:
    return "AAAA" if ":" in line.address else "A"
