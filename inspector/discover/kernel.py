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
from inspector.model.topology import LinkKind, Prefix, SandboxId, Setting, reverse_path_filter
from inspector.model.tunnel import Remote
from inspector.wire.stack_messages import address, mac, number

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
SETTINGS = (
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
)
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

    def read(sandbox: SandboxId, namespace: netns.Namespace) -> StackFact:
        others = ((each, other.fd) for each, other in stacks if each != sandbox)
        return read_stack(sandbox, namespace.inode, others, extent)

    chosen = [each for each in stacks if wanted is None or each[0] in wanted]
    return tuple(netns.enter_each((namespace.fd, partial(read, sandbox, namespace)) for sandbox, namespace in chosen))


def read_stack(
    sandbox: SandboxId, inode: int, others: Iterable[tuple[SandboxId, int]], extent: Extent | None = None
) -> StackFact:
    """Read everything about the namespace the calling thread is in, or as much as is said.

    `others` are descriptors of the namespaces whose numbers here are wanted, so that veth peers can be found.
    """
    wanted = extent or Extent()
    with Rtnetlink() as kernel:
        links, routes = read_links(kernel), tuple(_routes(kernel))
        nsids = tuple(_namespace_numbers(kernel, links, others))
        entered = {number for number, _ in nsids}
        bridges = _bridges_of_interest(links, routes, entered, wanted) if wanted.caches else frozenset()
        return StackFact(
            sandbox=sandbox,
            inode=inode,
            links=links,
            routes=routes,
            neighbours=tuple(_neighbours(kernel)) if wanted.caches else (),
            fdb=tuple(_fdb(kernel, bridges)),
            nsids=nsids,
            remotes=tuple(_remotes(kernel)) if any(each.tunnel for each in links) else (),
            settings=(*read_settings(), *_reverse_path_filters(links)),
            bystanders=tuple(_bystanders(kernel, links, entered, bridges)),
        )


def read_caches(bridges: Collection[int]) -> tuple[tuple[NeighbourFact, ...], tuple[NeighbourFact, ...]]:
    """Read the neighbour cache and these bridges' forwarding tables of the namespace the calling thread is in."""
    with Rtnetlink() as kernel:
        return tuple(_neighbours(kernel)), tuple(_fdb(kernel, bridges))


def read_settings(names: tuple[str, ...] = SETTINGS) -> tuple[Setting, ...]:
    """Read kernel settings; /proc/sys/net answers for the namespace of the thread that opens it."""
    return tuple(Setting(name=name, value=_setting(_file_of(name))) for name in names)


def _reverse_path_filters(links: tuple[LinkFact, ...]) -> Iterator[Setting]:
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


def _bridges_of_interest(
    links: tuple[LinkFact, ...], routes: tuple[RouteFact, ...], entered: set[int], wanted: Extent
) -> frozenset[int]:
    """Return the bridges whose ports and tables may matter."""
    bridges = frozenset(each.ifindex for each in links if each.kind is LinkKind.BRIDGE)
    if wanted.everywhere:
        return bridges
    near = {each.master for each in links if each.peer_nsid in entered}
    near |= {each.ifindex for each in routes for address in wanted.towards if address in each.destination}
    return bridges & near


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
