"""Another address for each: of the same kind, in the same subnets, and always the same one in one recording.

1. What an address is by itself stays (RFC 6890): private, link-local, documentation, unique local, global. Loopback,
   multicast, broadcast and unspecified addresses are everybody's and stay as they are, and what nobody was given yet.
2. Two addresses that share a prefix that the recording knows share one afterwards. Below the longest such prefix, host
   numbers are dealt out; the network itself and the IPv4 broadcast address keep their places.
3. An interface identifier made of a MAC (RFC 4291, appendix A) is made of the other MAC afterwards, and the multicast
   group of a solicited node (RFC 4291, 2.7.1) is the other node's.
4. A MAC keeps its two lowest bits of the first byte: group and locally administered (IEEE 802, 8.2).
5. Nothing but the salt decides, so that nobody without it can try addresses one by one.
"""

from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from itertools import chain
from typing import TypeVar

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
T = TypeVar("T")

_KEPT = ("0.0.0.0/8", "127.0.0.0/8", "192.0.0.0/24", "224.0.0.0/3", "::/127", "64:ff9b:1::/48", "2001::/23", "ff00::/8")
_KINDS = (
    *("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.2.0/24", "192.168.0.0/16"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
    *("::ffff:0:0/96", "64:ff9b::/96", "2001:db8::/32", "2002::/16", "3fff::/20", "2000::/3", "fc00::/8", "fd00::/8"),
    *("fe80::/64", "fe80::/10"),
    *_KEPT,
)
"""The longer ones first."""
_MAPPED = ip_network("::ffff:0:0/96")
_SOLICITED = ip_network("ff02::1:ff00:0/104")
_GROUP_V4, _GROUP_V6 = b"\x01\x00\x5e", b"\x33\x33"
_EUI, _UNIVERSAL = b"\xff\xfe", 2
_IPV4, _IPV6 = 4, 6
_INTERFACE_BITS = 64
_NODE = 0xFF_FFFF
_TRIES, _MOST = 64, 0x10000


class Addresses:
    """Deals out addresses and MACs. `prefixes` are those that the recording knows, `avoided` what none may become."""

    def __init__(self, salt: bytes, prefixes: Iterable[Network], avoided: Iterable[object] = ()) -> None:
        """Start with nothing dealt out."""
        self._salt = salt
        self._kinds = tuple(ip_network(each) for each in _KINDS)
        self._kept = tuple(ip_network(each) for each in _KEPT)
        self._prefixes = sorted(set(prefixes), key=lambda each: -each.prefixlen)
        self._avoided = set(avoided)
        self._dealt: dict[Address, Address] = {}
        self._macs: dict[bytes, bytes] = {}
        self._taken: set[Address] = set()
        self._starts: dict[Network, int] = {}

    @property
    def originals(self) -> frozenset[object]:
        """Return the addresses (IPv4Address, IPv6Address) and MACs (bytes) that were given another one."""
        return frozenset((*self._dealt, *self._macs))

    def address(self, address: Address) -> Address:
        """Return the other address."""
        if isinstance(address, IPv6Address):
            if address.scope_id is not None:
                return IPv6Address(f"{self.address(IPv6Address(int(address)))}%{address.scope_id}")
            if address in _SOLICITED:
                return self._solicited(address)
            if address in _MAPPED:
                inner = self.address(IPv4Address(int(address) & 0xFFFF_FFFF))
                return IPv6Address(0xFFFF << 32 | int(inner))
        if any(address in each for each in self._kept if each.version == address.version):
            return address
        if address not in self._dealt:
            self._dealt[address] = self._deal(address)
            self._taken.add(self._dealt[address])
        return self._dealt[address]

    def start(self, part: bytes, end: bytes) -> bytes:
        """Return the start of the other address of one that starts and ends like this."""
        known = (each for each in self._dealt if each.packed.startswith(part) and each.packed.endswith(end))
        found = next(known, None)
        return self._dealt[found].packed[: len(part)] if found else bytes(len(part))

    def network(self, network: Network) -> Network:
        """Return the network that holds the others of its addresses."""
        if any(network.subnet_of(each) for each in self._kept if each.version == network.version):  # type: ignore[arg-type]
            return network
        return type(network)((self._prefix(network), network.prefixlen))

    def mac(self, mac: bytes) -> bytes:
        """Return the other MAC, six bytes."""
        if mac.startswith(_GROUP_V6):
            group = self.address(IPv6Address(0xFF02 << 112 | 1 << 32 | int.from_bytes(mac[2:], "big")))
            return mac if mac[2] != 0xFF else _GROUP_V6 + group.packed[-4:]  # noqa: PLR2004 - of a solicited node
        if mac[0] & 1 or not any(mac):
            return mac
        if mac not in self._macs:
            drawn = (self._bits(b"mac", mac, bytes((each,)), bits=48) for each in range(_TRIES))
            tries = (self._with_node(each, int.from_bytes(mac, "big")).to_bytes(6, "big") for each in drawn)
            self._macs[mac] = self._free((bytes((each[0] & ~3 | mac[0] & 3,)) + each[1:] for each in tries), mac)
        return self._macs[mac]

    def _deal(self, address: Address) -> Address:
        if address.version == _IPV6 and not any(address in each for each in self._kinds):
            return address
        known = next((each for each in self._prefixes if address in each and each.prefixlen < each.max_prefixlen), None)
        base = known or next((each for each in self._kinds if address in each), None)
        length = base.prefixlen if base else 0
        bits = address.max_prefixlen - length
        start = self._prefix(base) if base else 0
        host = int(address) & ((1 << bits) - 1)
        if host in self._places(address, bits, known):
            return type(address)(start | host)
        mac = _mac_in(host) if isinstance(address, IPv6Address) and bits >= _INTERFACE_BITS else None
        if mac is not None:
            return type(address)(
                start | host >> _INTERFACE_BITS << _INTERFACE_BITS | _interface_identifier(self.mac(mac))
            )
        if base is None:
            return type(address)(self._flipped(int(address), address.max_prefixlen, address.max_prefixlen))
        drawn = (self._bits(b"host", address.packed, bytes((each,)), bits=bits) for each in range(_TRIES))
        if address.version == _IPV6 and 1 << bits > _NODE:
            drawn = (self._with_node(each, host) for each in drawn)
        tries = chain(drawn, range(1, min(1 << bits, _MOST)))
        found = (type(address)(start | each) for each in tries if each not in self._places(address, bits, known))
        free = (each for each in found if each not in self._taken and self._stays(each, known))
        return self._free(free, address)

    def _places(self, address: Address, bits: int, known: Network | None) -> tuple[int, ...]:
        """Return the host numbers of a known prefix that mean something by themselves."""
        if known is None or bits <= 1:
            return ()
        return (0, (1 << bits) - 1) if address.version == _IPV4 else (0,)

    def _stays(self, address: Address, known: Network | None) -> bool:
        """Whether it is in no longer prefix than its original."""
        longer = (each for each in self._prefixes if each.version == address.version)
        length = known.prefixlen if known else 0
        return not any(address in self.network(each) for each in longer if length < each.prefixlen < each.max_prefixlen)

    def _free(self, tries: Iterable[T], otherwise: T) -> T:
        """Return the first that is nobody's; the last one where a subnet has no more room."""
        for each in tries:
            if each not in self._avoided:
                return each
            otherwise = each
        return otherwise

    def _prefix(self, network: Network) -> int:
        if network not in self._starts:
            length, width = network.prefixlen, network.max_prefixlen
            self._starts[network] = self._flipped(int(network.network_address), length, width)
        return self._starts[network]

    def _flipped(self, value: int, length: int, width: int) -> int:
        """Flip each of the first bits as the bits before it (and the salt) say, and clear those behind them."""
        kinds = [each for each in self._kinds if each.max_prefixlen == width]
        result = 0
        for index in range(length):
            below = width - index
            ahead = value >> below
            flip = 0
            if not any(self._is_ahead_of(each, ahead, index) for each in kinds):
                flip = self._bits(bytes((width, index)), ahead.to_bytes(17, "big"), bits=1)
            result = result << 1 | (value >> (below - 1) & 1) ^ flip
        return result << (width - length)

    def _is_ahead_of(self, kind: Network, ahead: int, index: int) -> bool:
        """Whether the kind lies below one side of the fork behind these bits, so that they may not change places."""
        return kind.prefixlen > index and int(kind.network_address) >> (kind.max_prefixlen - index) == ahead

    def _solicited(self, group: IPv6Address) -> IPv6Address:
        return IPv6Address(self._with_node(int(group), int(group)))

    def _with_node(self, value: int, original: int) -> int:
        """Replace the last three bytes by what those of the original always become: groups are made of them alone."""
        low = original & _NODE
        return value & ~_NODE | self._bits(b"node", low.to_bytes(3, "big"), bits=24)

    def _bits(self, *words: bytes, bits: int) -> int:
        digest = blake2b(b"\0".join(words), key=self._salt, digest_size=32).digest()
        return int.from_bytes(digest, "big") & ((1 << bits) - 1)


def _mac_in(host: int) -> bytes | None:
    raw = host.to_bytes(16, "big")[8:]
    return bytes((raw[0] ^ _UNIVERSAL,)) + raw[1:3] + raw[5:] if raw[3:5] == _EUI else None


def _interface_identifier(mac: bytes) -> int:
    return int.from_bytes(bytes((mac[0] ^ _UNIVERSAL,)) + mac[1:3] + _EUI + mac[3:], "big")
