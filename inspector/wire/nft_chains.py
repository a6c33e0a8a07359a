"""Tell which chains may see a trace's packets. No bytes raise (linux/netfilter/nf_tables.h, NFTA_CHAIN_*)."""

from inspector.wire.nfnetlink import NEW_CHAIN, Message, attributes, text
from inspector.wire.nft_trace import FAMILY_NAMES

_TABLE, _HOOK = 1, 4
_NFGENMSG = 4
_SEEN_BY = {4: frozenset({"ip", "inet", "bridge"}), 6: frozenset({"ip6", "inet", "bridge"})}


def hooked_table(message: Message, family: int) -> str | None:
    """Return the table of a base chain that may see packets of the family (4 or 6); None of anything else."""
    name = FAMILY_NAMES.get(message.payload[0]) if message.type == NEW_CHAIN and message.payload else None
    if name not in _SEEN_BY[family]:
        return None
    found = attributes(message.payload[_NFGENMSG:])
    return text(found.get(_TABLE, b"")) if _HOOK in found else None
