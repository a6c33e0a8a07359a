"""Read network devices as rtnetlink describes them (RTM_NEWLINK, RTM_NEWADDR)."""

import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_interface

from inspector.discover.facts import LinkFact
from inspector.discover.rtnetlink import IFLA_MASTER, NO_MASTER, Rtnetlink
from inspector.model.text import safe
from inspector.model.topology import Interface, LinkKind
from inspector.model.tunnel import Tunnel
from inspector.wire.stack_messages import Attributes, Message, mac, name, number, read_attributes

AF_INET = 2
ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772
"""linux/if_arp.h"""
IFF_UP, IFF_RUNNING = 0x1, 0x40
"""linux/if.h"""
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_LINKINFO, IFLA_PROMISCUITY, IFLA_LINK_NETNSID = (
    1,
    3,
    4,
    5,
    18,
    30,
    37,
)
IFLA_AF_SPEC, IFLA_INET_CONF = 26, 1
IFLA_INFO_KIND, IFLA_INFO_DATA, IFLA_INFO_SLAVE_DATA = 1, 2, 5
IFLA_BRPORT_STATE, IFLA_BRPORT_MODE, IFLA_BRPORT_NO = 1, 4, 18
IFLA_MODE = 1
"""IFLA_MACVLAN_MODE and IFLA_IPVLAN_MODE"""
IFLA_VXLAN_ID, IFLA_VXLAN_PORT = 1, 15
"""linux/if_link.h"""
IPV4_DEVCONF_RP_FILTER = 8
"""linux/ip.h: a number in IFLA_INET_CONF, counted from 1"""
IFA_ADDRESS, IFA_LOCAL = 1, 2
"""linux/if_addr.h"""
BR_STATE_FORWARDING = 3
"""linux/if_bridge.h"""
KINDS = {each.value.encode(): each for each in LinkKind}
DEVICES = {ARPHRD_ETHER: LinkKind.ETHERNET, ARPHRD_LOOPBACK: LinkKind.LOOPBACK}
"""What a link is whose driver has no name."""
MODES: Mapping[LinkKind, Mapping[int, str]] = {
    LinkKind.MACVLAN: {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"},
    LinkKind.IPVLAN: {0: "l2", 1: "l3", 2: "l3s"},
}
DETAILED = frozenset({*MODES, LinkKind.VXLAN})
"""Whose driver's own attributes are looked at."""


def read_links(kernel: Rtnetlink, ports: Iterable[int] | None = None) -> tuple[LinkFact, ...]:
    """Read every device with its addresses; or, where ports are named, not those of bridges that have none of them.

    A bridge may be named, too. What is under a bond or a VRF is always read.
    """
    addresses: dict[int, list[Interface]] = {}
    for (_, length, _, _, ifindex), told in kernel.addresses():
        packed = told.get(IFA_LOCAL) or told.get(IFA_ADDRESS)
        if packed:
            addresses.setdefault(ifindex, []).append(_interface(packed, length))
    messages = kernel.links() if ports is None else _links_near(kernel, ports)
    return tuple(read_link(each, tuple(addresses.get(each.fields[2], ()))) for each in messages)


def _links_near(kernel: Rtnetlink, ports: Iterable[int]) -> list[Message]:
    """Ask for what is under no master or under one that is no bridge, and for all ports of the bridges of these."""
    found = {each.fields[2]: each for each in kernel.links(NO_MASTER)}
    if not found:
        return kernel.links()
    waiting = [each for each in found.values() if _kind_of(each) is LinkKind.OTHER]
    for port in ports:
        with suppress(OSError):
            waiting.append(kernel.link(port))
    asked: set[int] = set()
    while waiting:
        link = waiting.pop()
        ifindex, master = link.fields[2], number(link.attributes, IFLA_MASTER)
        found.setdefault(ifindex, link)
        if master and master not in asked:
            with suppress(OSError):
                waiting.append(kernel.link(master))
        if ifindex not in asked and _kind_of(link) in {LinkKind.BRIDGE, LinkKind.OTHER}:
            asked.add(ifindex)
            new = [each for each in kernel.links(ifindex) if each.fields[2] not in found]
            found.update((each.fields[2], each) for each in new)
            waiting += [each for each in new if _kind_of(each) is LinkKind.OTHER]
    return [found[each] for each in sorted(found)]


def _kind_of(message: Message) -> LinkKind:
    return _kind(read_attributes(message.attributes.get(IFLA_LINKINFO, b"")), message.fields[1])


def read_link(message: Message, addresses: tuple[Interface, ...] = ()) -> LinkFact:
    """Read a device."""
    (_, device, ifindex, flags, _), told = message
    about = read_attributes(told.get(IFLA_LINKINFO, b""))
    kind = _kind(about, device)
    nsid, peer, master = (number(told, each) for each in (IFLA_LINK_NETNSID, IFLA_LINK, IFLA_MASTER))
    if peer is None and nsid is not None and kind is not LinkKind.VXLAN:
        # rtnetlink leaves IFLA_LINK out where the peer's index happens to equal our own.
        peer = ifindex
    port = read_attributes(about.get(IFLA_INFO_SLAVE_DATA, b"")) if master else {}
    own = read_attributes(about.get(IFLA_INFO_DATA, b"")) if kind in DETAILED else {}
    return LinkFact(
        ifindex=ifindex,
        name=safe(name(told, IFLA_IFNAME) or f"if{ifindex}"),
        kind=kind,
        up=bool(flags & IFF_UP),
        running=bool(flags & IFF_RUNNING),
        mtu=number(told, IFLA_MTU) or 0,
        mac=mac(told, IFLA_ADDRESS) or "",
        peer_ifindex=peer,
        peer_nsid=nsid,
        master=master,
        port=number(port, IFLA_BRPORT_NO),
        forwarding=number(port, IFLA_BRPORT_STATE) in {BR_STATE_FORWARDING, None},
        promiscuity=number(told, IFLA_PROMISCUITY) or 0,
        addresses=addresses,
        mode=_mode(own, kind),
        tunnel=_tunnel(own) if kind is LinkKind.VXLAN else None,
        hairpin=bool(number(port, IFLA_BRPORT_MODE)),
        reverse_path=_reverse_path(told),
    )


def _reverse_path(told: Attributes) -> int | None:
    """Read rp_filter out of the IPv4 settings that come with each link; None where it has no IPv4."""
    own = read_attributes(read_attributes(told.get(IFLA_AF_SPEC, b"")).get(AF_INET, b""))
    at = (IPV4_DEVCONF_RP_FILTER - 1) * 4
    return int.from_bytes(own.get(IFLA_INET_CONF, b"")[at : at + 4], sys.byteorder) if IFLA_INET_CONF in own else None


def _mode(own: Attributes, kind: LinkKind) -> str:
    """Read how a macvlan or ipvlan link shares its parent (enum macvlan_mode, ipvlan_mode in linux/if_link.h)."""
    mode = number(own, IFLA_MODE) if kind in MODES else None
    return str(MODES[kind].get(mode, mode)) if mode is not None else ""


def _tunnel(own: Attributes) -> Tunnel | None:
    """Read what a VXLAN link does."""
    virtual, port = number(own, IFLA_VXLAN_ID), int.from_bytes(own.get(IFLA_VXLAN_PORT, b""), "big")
    return Tunnel(virtual, port) if virtual is not None and port else None


def _kind(about: Attributes, device: int) -> LinkKind:
    named = name(about, IFLA_INFO_KIND)
    if named is None:
        return DEVICES.get(device, LinkKind.OTHER)
    return KINDS.get(named, LinkKind.OTHER)


@lru_cache(1024)
def _interface(packed: bytes, length: int) -> Interface:
    return ip_interface((packed, length))
