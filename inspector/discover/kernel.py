"""Read network stacks by rtnetlink: links, addresses, routes and caches.

Each namespace is entered for a visit (see `inspector.netns.enter`): sockets belong to the namespace they are opened in,
and pyroute2's own `netns=` would fork.
"""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import chain

from msgspec import Struct

from inspector import netns
from inspector.discover.facts import LinkFact, NeighbourFact, RouteFact, StackFact
from inspector.discover.links import read_link, read_links
from inspector.discover.rtnetlink import Rtnetlink
from inspector.model.topology import HOST, LinkKind, Prefix, SandboxId, Setting, reverse_path_filter
from inspector.model.tunnel import Remote
from inspector.wire.stack_messages import Attributes, address, mac, number

Address = IPv4Address | IPv6Address

AF_INET, AF_INET6 = 2, 10
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_PREFSRC = 1, 4, 5, 6, 7
RT_TABLE_MAIN, RT_TABLE_LOCAL = 254, 255
RTN_UNICAST, RTN_LOCAL = 1, 2
"""linux/rtnetlink.h"""
NDA_DST, NDA_LLADDR, NDA_MASTER = 1, 2, 9
NTF_SELF = 0x02
NUD_STATES = {
    0x00: "none",
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x40: "noarp",
    0x80: "permanent",
}
"""linux/neighbour.h"""
NETCONFA_FORWARDING, NETCONFA_RP_FILTER = 2, 3
"""linux/netconf.h"""
BRIDGES = ("net.bridge.bridge-nf-call-iptables", "net.bridge.bridge-nf-call-ip6tables")
"""What decides about a bridge's frames; read where there is one."""
SETTINGS = ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding", "net.ipv4.conf.all.rp_filter", *BRIDGES)
"""What decides about forwarding; read where the stack is."""


class Extent(Struct, frozen=True):
    """How much is read of each stack beside its links, addresses, routes and settings."""

    caches: bool = True
    """Neighbours, what bridges have learned, and who is behind their ports."""
    everywhere: bool = True
    """Of all bridges; or of those alone that lead into stacks that are read, or `towards` somebody."""
    towards: tuple[Address, ...] = ()


def read_stacks(
    stacks: tuple[tuple[SandboxId, netns.Namespace], ...],
    wanted: Collection[SandboxId] | None = None,
    extent: Extent | None = None,
) -> tuple[StackFact, ...]:
    """Read each of these stacks, or of them those that are wanted, in one visit to them all."""
    chosen = {sandbox: namespace for sandbox, namespace in stacks if wanted is None or sandbox in wanted}
    found: dict[SandboxId, StackFact] = {}

    def read(sandbox: SandboxId) -> StackFact:
        others = ((each, other.fd) for each, other in stacks if each != sandbox)
        ports = None if extent is None or extent.everywhere else _far_ends(sandbox, found.values())
        found[sandbox] = read_stack(sandbox, chosen[sandbox].inode, others, extent, ports)
        return found[sandbox]

    # The host last: which of its bridges matter, those know that hang on them.
    order = sorted(chosen, key=lambda sandbox: sandbox == HOST)
    netns.enter_each((chosen[sandbox].fd, partial(read, sandbox)) for sandbox in order)
    return tuple(found[sandbox] for sandbox in chosen)


def _far_ends(sandbox: SandboxId, facts: Iterable[StackFact]) -> frozenset[int] | None:
    """Return the links of the host that links of others end at; None for another sandbox, of which all is read."""
    if sandbox != HOST:
        return None
    numbers = ((each, dict(each.nsids)) for each in facts)
    ends = (
        (link, known.get(link.peer_nsid))
        for fact, known in numbers
        for link in fact.links
        if link.peer_nsid is not None
    )
    return frozenset(link.peer_ifindex for link, where in ends if where == HOST and link.peer_ifindex)


def read_stack(
    sandbox: SandboxId,
    inode: int,
    others: Iterable[tuple[SandboxId, int]],
    extent: Extent | None = None,
    ports: Collection[int] | None = None,
) -> StackFact:
    """Read everything about the namespace the calling thread is in, or as much as is said.

    `others` are descriptors of the namespaces whose numbers here are wanted, so that veth peers can be found. Where
    `ports` are named, ports of bridges that have none of them are left out.
    """
    wanted = extent or Extent()
    with Rtnetlink() as kernel:
        routes = tuple(_routes(kernel))
        ways = frozenset(each.ifindex for each in routes for there in wanted.towards if there in each.destination)
        links = read_links(kernel, None if ports is None else ways.union(ports))
        nsids = tuple(_namespace_numbers(kernel, links, others))
        entered = {number for number, _ in nsids}
        has_bridge = any(each.kind is LinkKind.BRIDGE for each in links)
        bridges = _bridges_that_matter(links, ways, entered, wanted) if wanted.caches else frozenset()
        return StackFact(
            sandbox=sandbox,
            inode=inode,
            links=links,
            routes=routes,
            neighbours=tuple(_neighbours(kernel)) if wanted.caches else (),
            fdb=tuple(_fdb(kernel, bridges)),
            nsids=nsids,
            remotes=tuple(_remotes(kernel)) if any(each.tunnel for each in links) else (),
            settings=(*_settings_of_all(kernel), *read_settings(BRIDGES if has_bridge else ()), *_of_each(links)),
            bystanders=tuple(_bystanders(kernel, links, entered, bridges)),
        )


def read_caches(bridges: Collection[int]) -> tuple[tuple[NeighbourFact, ...], tuple[NeighbourFact, ...]]:
    """Read the neighbour cache and these bridges' forwarding tables of the namespace the calling thread is in."""
    with Rtnetlink() as kernel:
        return tuple(_neighbours(kernel)), tuple(_fdb(kernel, bridges))


def read_settings(names: tuple[str, ...]) -> tuple[Setting, ...]:
    """Read kernel settings; /proc/sys/net answers for the namespace of the thread that opens it."""
    return tuple(Setting(name=name, value=_setting(_file_of(name))) for name in names)


def _settings_of_all(kernel: Rtnetlink) -> Iterator[Setting]:
    """Yield what holds for all interfaces, by netlink: a file of /proc/sys takes five times as long to open."""
    told: dict[int, Attributes] = {AF_INET: {}, AF_INET6: {}}
    for family in told:
        with suppress(OSError):
            told[family] = kernel.settings(family)
    for setting, family, kind in (
        ("net.ipv4.ip_forward", AF_INET, NETCONFA_FORWARDING),
        ("net.ipv6.conf.all.forwarding", AF_INET6, NETCONFA_FORWARDING),
        ("net.ipv4.conf.all.rp_filter", AF_INET, NETCONFA_RP_FILTER),
    ):
        value = number(told[family], kind)
        yield Setting(name=setting, value=None if value is None else str(value))


def _of_each(links: tuple[LinkFact, ...]) -> Iterator[Setting]:
    """Yield the interfaces' own settings; a bridge's ports take in no packets for the stack."""
    for each in links:
        if each.master is None:
            value = None if each.reverse_path is None else str(each.reverse_path)
            yield Setting(name=reverse_path_filter(each.name), value=value)


def _setting(file: str) -> str | None:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.read(descriptor, 4096).decode("ascii").strip()
    except OSError:
        return None
    finally:
        os.close(descriptor)


@lru_cache(256)
def _file_of(name: str) -> str:
    # sysctl(8): whichever of dot and slash comes first parts the name, and the other is a dot within it (eth0.100).
    by_slash = "/" in name.partition(".")[0]
    parts = name.split("/") if by_slash else [part.replace("/", ".") for part in name.split(".")]
    return "/".join(("/proc/sys", *parts))


def _bridges_that_matter(
    links: tuple[LinkFact, ...], ways: frozenset[int], entered: set[int], wanted: Extent
) -> frozenset[int]:
    """Return the bridges whose tables, and far ends of whose ports, may matter."""
    bridges = frozenset(each.ifindex for each in links if each.kind is LinkKind.BRIDGE)
    if wanted.everywhere:
        return bridges
    return bridges & ways.union(each.master for each in links if each.master and each.peer_nsid in entered)


def _namespace_numbers(
    kernel: Rtnetlink, links: tuple[LinkFact, ...], others: Iterable[tuple[SandboxId, int]]
) -> Iterator[tuple[int, SandboxId]]:
    """Ask for the numbers of the others here, until every far end of a veth pair is accounted for."""
    wanted = {each.peer_nsid for each in links if each.peer_nsid is not None}
    for sandbox, descriptor in others if wanted else ():
        number = kernel.namespace_number(descriptor)
        if number in wanted:
            wanted.discard(number)
            yield number, sandbox
            if not wanted:
                return


def _remotes(kernel: Rtnetlink) -> Iterator[Remote]:
    for (_, ifindex, _, flags, _), told in kernel.forwarding():
        node, station = address(told, NDA_DST), mac(told, NDA_LLADDR)
        if node and station and flags & NTF_SELF:
            yield Remote(ifindex=ifindex, mac=station, node=node)


def _bystanders(
    kernel: Rtnetlink, links: tuple[LinkFact, ...], entered: set[int], bridges: Collection[int]
) -> Iterator[tuple[int, LinkFact]]:
    """Ask for the far end of each port of these bridges, not entering its stack (IFLA_TARGET_NETNSID, Linux 4.15)."""
    for link in links:
        if link.kind is not LinkKind.VETH or link.master not in bridges or link.peer_ifindex is None:
            continue
        if link.peer_nsid is not None and link.peer_nsid not in entered:
            with suppress(OSError):
                yield link.ifindex, read_link(kernel.link_elsewhere(link.peer_ifindex, link.peer_nsid))


def _routes(kernel: Rtnetlink) -> Iterator[RouteFact]:
    for (family, length, _, _, table, _, _, kind, _), told in kernel.routes():
        outbound = number(told, RTA_OIF)
        if (table, kind) not in {(RT_TABLE_MAIN, RTN_UNICAST), (RT_TABLE_LOCAL, RTN_LOCAL)} or not outbound:
            continue
        anywhere = bytes(4 if family == AF_INET else 16)
        yield RouteFact(
            destination=_prefix(told.get(RTA_DST, anywhere), length),
            gateway=address(told, RTA_GATEWAY),
            ifindex=outbound,
            metric=number(told, RTA_PRIORITY) or 0,
            source=address(told, RTA_PREFSRC),
            local=table == RT_TABLE_LOCAL,
        )


def _neighbours(kernel: Rtnetlink) -> Iterator[NeighbourFact]:
    for (family, ifindex, state, _, _), told in kernel.neighbours():
        if family in {AF_INET, AF_INET6} and NUD_STATES.get(state) != "noarp" and (known := address(told, NDA_DST)):
            yield NeighbourFact(
                ifindex=ifindex, address=known, mac=mac(told, NDA_LLADDR), state=NUD_STATES.get(state, str(state))
            )


def _fdb(kernel: Rtnetlink, bridges: Collection[int]) -> Iterator[NeighbourFact]:
    for (_, ifindex, bits, flags, _), told in chain.from_iterable(kernel.forwarding(each) for each in sorted(bridges)):
        master = number(told, NDA_MASTER)
        if master and not flags & NTF_SELF:
            state = NUD_STATES.get(bits, str(bits))
            learned = state in {"reachable", "stale"}
            station = mac(told, NDA_LLADDR)
            yield NeighbourFact(ifindex=ifindex, address=None, mac=station, state=state, bridge=master, learned=learned)


@lru_cache(1024)
def _prefix(packed: bytes, length: int) -> Prefix:
    return ip_network((packed, length))
