"""Read network stacks by rtnetlink: links, addresses, routes and caches.

Each namespace is entered for a visit (see `inspector.netns.enter`): sockets belong to the namespace they are opened in,
and pyroute2's own `netns=` would fork.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path
from typing import Any

from inspector import netns
from inspector.discover.facts import LinkFact, NeighbourFact, RouteFact, StackFact
from inspector.discover.rtnetlink import Message, Rtnetlink
from inspector.model.text import safe
from inspector.model.topology import LinkKind, SandboxId, Setting, reverse_path_filter
from inspector.model.tunnel import Remote, Tunnel

AF_INET, AF_INET6 = 2, 10
ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772
"""linux/if_arp.h"""
IFF_UP, IFF_RUNNING = 0x1, 0x40
"""linux/if.h"""
RT_TABLE_MAIN, RT_TABLE_LOCAL = 254, 255
RTN_UNICAST, RTN_LOCAL = 1, 2
"""linux/rtnetlink.h"""
BR_STATE_FORWARDING = 3
"""linux/if_bridge.h"""
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
MODES: Mapping[LinkKind, tuple[str, Mapping[object, str]]] = {
    LinkKind.MACVLAN: ("IFLA_MACVLAN_MODE", {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}),
    LinkKind.IPVLAN: ("IFLA_IPVLAN_MODE", {0: "l2", 1: "l3", 2: "l3s"}),
}
NTF_SELF, NTF_EXT_LEARNED = 0x02, 0x10

SETTINGS = (
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.ipv4.conf.all.rp_filter",
    "net.bridge.bridge-nf-call-iptables",
    "net.bridge.bridge-nf-call-ip6tables",
)
"""What decides about forwarding; read where the stack is."""


def read_stacks(
    stacks: tuple[tuple[SandboxId, netns.Namespace], ...], wanted: Collection[SandboxId] | None = None
) -> tuple[StackFact, ...]:
    """Read each of these stacks, or of them those that are wanted, in a visit of its own."""

    def visit(sandbox: SandboxId, namespace: netns.Namespace) -> StackFact:
        others = {each: other.fd for each, other in stacks if each != sandbox}
        return netns.enter(namespace.fd, lambda: read_stack(sandbox, namespace.inode, others))

    return tuple(visit(*each) for each in stacks if wanted is None or each[0] in wanted)


def read_stack(sandbox: SandboxId, inode: int, others: Mapping[SandboxId, int]) -> StackFact:
    """Read everything about the namespace the calling thread is in.

    `others` are descriptors of the namespaces whose numbers here are wanted, so that veth peers can be found.
    """
    with Rtnetlink() as kernel:
        links = _links(kernel)
        nsids = tuple(_namespace_numbers(kernel, links, others))
        has_bridge = any(each.kind is LinkKind.BRIDGE for each in links)
        return StackFact(
            sandbox=sandbox,
            inode=inode,
            links=links,
            routes=tuple(_routes(kernel)),
            neighbours=tuple(_neighbours(kernel)),
            fdb=tuple(_fdb(kernel)) if has_bridge else (),
            nsids=nsids,
            remotes=tuple(_remotes(kernel)) if any(each.tunnel for each in links) else (),
            settings=read_settings((*SETTINGS, *_reverse_path_filters(links))),
            bystanders=tuple(_bystanders(kernel, links, {number for number, _ in nsids})),
        )


def read_caches() -> tuple[tuple[NeighbourFact, ...], tuple[NeighbourFact, ...]]:
    """Read the neighbour cache and the bridges' forwarding tables of the namespace the calling thread is in."""
    with Rtnetlink() as kernel:
        return tuple(_neighbours(kernel)), tuple(_fdb(kernel))


def read_settings(names: tuple[str, ...] = SETTINGS) -> tuple[Setting, ...]:
    """Read kernel settings; /proc/sys/net answers for the namespace of the thread that opens it."""
    return tuple(Setting(name=name, value=_setting(name)) for name in names)


def _reverse_path_filters(links: tuple[LinkFact, ...]) -> tuple[str, ...]:
    """Return the names of the interfaces' own settings; a bridge's ports take in no packets for the stack."""
    return tuple(reverse_path_filter(each.name) for each in links if each.master is None)


def _setting(name: str) -> str | None:
    # sysctl(8): whichever of dot and slash comes first parts the name, and the other is a dot within it (eth0.100).
    by_slash = "/" in name.partition(".")[0]
    parts = name.split("/") if by_slash else [part.replace("/", ".") for part in name.split(".")]
    try:
        return Path("/proc/sys", *parts).read_text(encoding="ascii").strip()
    except OSError:
        return None


def _namespace_numbers(
    kernel: Rtnetlink, links: tuple[LinkFact, ...], others: Mapping[SandboxId, int]
) -> Iterator[tuple[int, SandboxId]]:
    """Ask for the numbers of the others here, until every far end of a veth pair is accounted for."""
    wanted = {each.peer_nsid for each in links if each.peer_nsid is not None}
    for sandbox, descriptor in others.items():
        if not wanted:
            return
        number = kernel.namespace_number(descriptor)
        if number in wanted:
            wanted.discard(number)
            yield number, sandbox


def _links(kernel: Rtnetlink) -> tuple[LinkFact, ...]:
    addresses: dict[int, list[Any]] = {}
    for message in kernel.addresses():
        text = message.get("local") or message.get("address")
        addresses.setdefault(message["index"], []).append(ip_interface(f"{text}/{message['prefixlen']}"))
    return tuple(_link(message, tuple(addresses.get(message["index"], ()))) for message in kernel.links())


def _link(message: Message, addresses: tuple[Any, ...] = ()) -> LinkFact:
    kind = _kind(message)
    nsid = message.get("link_netnsid")
    peer = message.get("link")
    if peer is None and nsid is not None and kind is not LinkKind.VXLAN:
        # rtnetlink leaves IFLA_LINK out where the peer's index happens to equal our own.
        peer = message["index"]
    port = message.get(("linkinfo", "slave_data")) if message.get("master") else None
    return LinkFact(
        ifindex=message["index"],
        name=safe(message.get("ifname") or f"if{message['index']}"),
        kind=kind,
        up=bool(message["flags"] & IFF_UP),
        running=bool(message["flags"] & IFF_RUNNING),
        mtu=message.get("mtu") or 0,
        mac=message.get("address") or "",
        peer_ifindex=peer,
        peer_nsid=nsid,
        master=message.get("master"),
        port=port.get("IFLA_BRPORT_NO") if port else None,
        forwarding=port.get("IFLA_BRPORT_STATE") in (BR_STATE_FORWARDING, None) if port else True,
        promiscuity=message.get("promiscuity") or 0,
        addresses=addresses,
        mode=_mode(message, kind),
        tunnel=_tunnel(message) if kind is LinkKind.VXLAN else None,
        hairpin=bool(port.get("IFLA_BRPORT_MODE")) if port else False,
    )


def _mode(message: Message, kind: LinkKind) -> str:
    """Read how a macvlan or ipvlan link shares its parent (enum macvlan_mode, ipvlan_mode in linux/if_link.h)."""
    name, names = MODES.get(kind, ("", {}))
    data = message.get(("linkinfo", "data")) if name else None
    mode = data.get(name) if data else None
    return str(names.get(mode, mode)) if mode is not None else ""


def _tunnel(message: Message) -> Tunnel | None:
    """Read what a VXLAN link does (IFLA_VXLAN_ID, IFLA_VXLAN_PORT in linux/if_link.h)."""
    data = message.get(("linkinfo", "data"))
    number, port = (data.get(f"IFLA_VXLAN_{name}") if data else None for name in ("ID", "PORT"))
    return Tunnel(number, port) if number is not None and port else None


def _remotes(kernel: Rtnetlink) -> Iterator[Remote]:
    for message in kernel.forwarding():
        node, mac = message.get("dst"), message.get("lladdr")
        if node and mac and message["flags"] & NTF_SELF:
            yield Remote(ifindex=message["ifindex"], mac=mac, node=str(ip_address(node)))


def _kind(message: Message) -> LinkKind:
    named = message.get(("linkinfo", "kind"))
    if named is None:
        device = {ARPHRD_ETHER: LinkKind.ETHERNET, ARPHRD_LOOPBACK: LinkKind.LOOPBACK}
        return device.get(message["ifi_type"], LinkKind.OTHER)
    return LinkKind(named) if named in set(LinkKind) else LinkKind.OTHER


def _bystanders(kernel: Rtnetlink, links: tuple[LinkFact, ...], entered: set[int]) -> Iterator[tuple[int, LinkFact]]:
    """Ask for the far end of each bridge port without entering its namespace (IFLA_TARGET_NETNSID, Linux 4.15)."""
    for link in links:
        if link.kind is not LinkKind.VETH or not link.master or link.peer_ifindex is None:
            continue
        if link.peer_nsid is not None and link.peer_nsid not in entered:
            with suppress(OSError):
                yield link.ifindex, _link(kernel.link_elsewhere(link.peer_ifindex, link.peer_nsid))


def _routes(kernel: Rtnetlink) -> Iterator[RouteFact]:
    for message in kernel.routes():
        table = message.get("table") or message["table"]
        kind = message["type"]
        if (table, kind) not in {(RT_TABLE_MAIN, RTN_UNICAST), (RT_TABLE_LOCAL, RTN_LOCAL)} or not message.get("oif"):
            continue
        anywhere = "0.0.0.0" if message["family"] == AF_INET else "::"  # noqa: S104 - a prefix, not a bind address
        yield RouteFact(
            destination=ip_network(f"{message.get('dst') or anywhere}/{message['dst_len']}"),
            gateway=message.get("gateway"),
            ifindex=message.get("oif"),
            metric=message.get("priority") or 0,
            source=message.get("prefsrc"),
            local=table == RT_TABLE_LOCAL,
        )


def _neighbours(kernel: Rtnetlink) -> Iterator[NeighbourFact]:
    for message in kernel.neighbours():
        state = NUD_STATES.get(message["state"], str(message["state"]))
        if message["family"] in {AF_INET, AF_INET6} and state != "noarp" and message.get("dst"):
            yield NeighbourFact(
                ifindex=message["ifindex"],
                address=str(ip_address(message.get("dst"))),
                mac=message.get("lladdr"),
                state=state,
            )


def _fdb(kernel: Rtnetlink) -> Iterator[NeighbourFact]:
    for message in kernel.forwarding():
        if message.get("master") and not message["flags"] & NTF_SELF:
            state = NUD_STATES.get(message["state"], str(message["state"]))
            yield NeighbourFact(
                ifindex=message["ifindex"],
                address=None,
                mac=message.get("lladdr"),
                state=state,
                bridge=message.get("master"),
                learned=state in {"reachable", "stale"},
            )
