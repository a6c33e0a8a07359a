"""List the tables of nf_tables, and who owns each (linux/netfilter/nf_tables.h, NFTA_TABLE_*). No bytes raise."""

import struct
from typing import NamedTuple

from inspector.wire.nfnetlink import DUMP, REQUEST, Message, attributes, number, text
from inspector.wire.nft_trace import FAMILY_NAMES

NEW_TABLE, GET_TABLE = 10 << 8, 10 << 8 | 1
"""NFNL_SUBSYS_NFTABLES; NFT_MSG_NEWTABLE, NFT_MSG_GETTABLE"""
_HEADER = struct.Struct("=IHHII")
_FAMILY = struct.Struct(">BBH")
_NAME, _OWNER = 1, 7


class Table(NamedTuple):
    """A table, and the port of the netlink socket that owns it, if one does."""

    family: str
    name: str
    owner: int | None


def request() -> bytes:
    """Write the request for all tables of a network stack."""
    return _HEADER.pack(_HEADER.size + _FAMILY.size, GET_TABLE, REQUEST | DUMP, 0, 0) + _FAMILY.pack(0, 0, 0)


def read(message: Message) -> Table | None:
    """Read one of the answers; None where it is something else."""
    if message.type != NEW_TABLE or len(message.payload) < _FAMILY.size:
        return None
    found = attributes(message.payload[_FAMILY.size :])
    family = FAMILY_NAMES.get(message.payload[0], str(message.payload[0]))
    return Table(family, text(found.get(_NAME, b"")), number(found.get(_OWNER)))
