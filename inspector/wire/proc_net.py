"""Read the socket tables that the kernel writes as text: /proc/net/tcp, tcp6, udp and udp6 (net/ipv4/tcp_ipv4.c).

A line: number, local address and port in hex, remote ones, state, and more. An address is written as 32-bit words in
the machine's byte order; a port as a number. Lines of another form are passed over.
"""

import struct
from collections.abc import Iterator
from ipaddress import ip_address

from msgspec import Struct

TCP_LISTEN, TCP_CLOSE = 0x0A, 0x07
"""include/net/tcp_states.h; a UDP socket that is connected to nobody is in the latter."""
_FIELDS = 4
_INODE = 9
_PORT = 2
_ADDRESS_LENGTHS = {8: 4, 32: 16}


class OpenPort(Struct, frozen=True):
    """A socket that anybody may send to."""

    address: str
    port: int


def read_open_ports(table: str, state: int) -> Iterator[OpenPort]:
    """Yield the sockets of a table that are in this state."""
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < _FIELDS:
            continue
        raw, _, port = words[1].partition(":")
        try:
            if int(words[3], 16) == state:
                yield OpenPort(_address(raw), int(port, 16))
        except ValueError:
            continue


def _address(raw: str) -> str:
    length = _ADDRESS_LENGTHS.get(len(raw))
    if length is None:
        raise ValueError(raw)
    words = [int(raw[start : start + 8], 16) for start in range(0, len(raw), 8)]
    address = ip_address(b"".join(struct.pack("=I", each) for each in words))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def read_inodes(table: str) -> Iterator[int]:
    """Yield the inode of each socket in the tables of raw, icmp, tcp and udp, and those for IPv6."""
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) > _INODE and words[_INODE].isdecimal():
            yield int(words[_INODE])


def read_netlink_ports(table: str) -> dict[int, int]:
    """Return the inode of each netlink socket by its port (/proc/net/netlink, net/netlink/af_netlink.c)."""
    found = (line.split() for line in table.splitlines()[1:])
    whole = (each for each in found if len(each) > _PORT and each[_PORT].isdecimal() and each[-1].isdecimal())
    return {int(each[_PORT]): int(each[-1]) for each in whole if int(each[_PORT])}
