"""Have a bridge forget which port a container is behind, so that a class sees it flood and learn.

What is deleted is one line that the bridge learned from a frame: it forgets it by itself after 300 s without one
(`ageing_time`), and learns it again from the next. Only a container of the lab is ever named here.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from functools import partial

from inspector import netns
from inspector.discover.engine import Engine
from inspector.discover.survey import Stacks, survey
from inspector.errors import InspectorError
from inspector.model.topology import Link, Topology

RTM_DELNEIGH, NLM_F_REQUEST, NLM_F_ACK = 29, 0x1, 0x4
NTF_MASTER, NDA_LLADDR = 0x04, 2
"""linux/neighbour.h: the bridge's own table, and the attribute that is a MAC address."""
AF_BRIDGE = 7
HEADER, NDMSG, ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BxxxiHBB"), struct.Struct("=HH")
"""struct nlmsghdr, ndmsg and nlattr (linux/netlink.h, linux/neighbour.h)."""
ERROR_AT = HEADER.size


def forget(engine: Engine, container: str) -> None:
    """Forget a container at each bridge it is plugged into; no error where it was not known. Raises InspectorError."""
    with Stacks() as stacks:
        topology = survey(engine, stacks, (container,))
        for port, mac in _ports(topology, container):
            refused = netns.enter(stacks.namespaces[port.sandbox].fd, partial(_delete, port, mac))
            if refused not in {0, errno.ENOENT}:
                raise InspectorError(f"the bridge does not forget {container}: {os.strerror(refused)}")


def _ports(topology: Topology, container: str) -> Iterator[tuple[Link, str]]:
    found = topology.container(container)
    for endpoint in found.endpoints if found else ():
        own = topology.link(endpoint.link)
        port = topology.link(own.peer) if own else None
        if own and port and port.bridge:
            yield port, own.mac


def _delete(port: Link, mac: str) -> int:
    """Delete the line; return the kernel's error number, 0 for none."""
    entry = NDMSG.pack(AF_BRIDGE, port.key.ifindex, 0, NTF_MASTER, 0)
    address = ATTRIBUTE.pack(ATTRIBUTE.size + 6, NDA_LLADDR) + bytes.fromhex(mac.replace(":", "")) + bytes(2)
    length = HEADER.size + len(entry) + len(address)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE) as link:
        link.sendto(HEADER.pack(length, RTM_DELNEIGH, NLM_F_REQUEST | NLM_F_ACK, 1, 0) + entry + address, (0, 0))
        (number,) = struct.unpack_from("=i", link.recv(4096), ERROR_AT)
    return -int(number)
