"""Tell which chains may see a trace's packets. No bytes raise (linux/netfilter/nf_tables.h, NFTA_CHAIN_*)."""

from inspector.wire.nfnetlink import NEW_CHAIN, Message, attributes
from inspector.wire.nft_trace import FAMILY_NAMES

_HOOK = 4
_NFGENMSG = 4
_SEEN_BY = {4: frozenset({"ip", "inet", "bridge"}), 6: frozenset({"ip6", "inet", "bridge"})}


def is_hooked(message: Message, family: int) -> bool:
    """Say whether this is a base chain that may see packets of the family (4 or 6)."""
    name = FAMILY_NAMES.get(message.payload[0]) if message.type == NEW_CHAIN and message.payload else None
    if name not in _SEEN_BY[family]:
        return False
    return _HOOK in attributes(message.payload[_NFGENMSG:])
