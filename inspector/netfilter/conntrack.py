"""Ask connection tracking for the entries of flows; changes nothing. Call it by `inspector.netns.enter`.

A kernel without connection tracking is not asked at all: the question alone would load it.
"""

from collections.abc import Iterable
from pathlib import Path

from inspector.model.conntrack import ConntrackEntry, Flow
from inspector.model.question import Protocol
from inspector.model.topology import SandboxId
from inspector.netfilter.asking import explained, listed, nf_tables_link, one
from inspector.wire.ctnetlink import entries_to_port, entry_of, read_entry

_LOADED = Path("/proc/sys/net/netfilter/nf_conntrack_max")
MOST_ENTRIES = 1_000
"""Kept of all that go to one port."""


def read_flows(sandbox: SandboxId, protocol: Protocol, flows: Iterable[Flow]) -> tuple[ConntrackEntry, ...]:
    """Return the entries that these flows belong to, in either direction, each once. Needs CAP_NET_ADMIN."""
    found: dict[Flow, ConntrackEntry] = {}
    known: set[Flow] = set()
    with explained("entries of connection tracking"), nf_tables_link() as link:
        for flow in flows if link is not None and _LOADED.exists() else ():
            if link is None or flow in known or flow.reversed in known:
                continue
            for each in (flow, flow.reversed):
                message = one(link, entry_of(protocol, each))
                entry = read_entry(sandbox, message) if message else None
                if entry is not None:
                    found[entry.original] = entry
                    known |= {entry.original, entry.reply}
                    break
    return tuple(found.values())


def read_port(sandbox: SandboxId, protocol: Protocol, family: int, port: int) -> tuple[ConntrackEntry, ...]:
    """Return the entries of all flows to a port. Needs CAP_NET_ADMIN."""
    if not _LOADED.exists():
        return ()
    with explained("entries of connection tracking"), nf_tables_link() as link:
        messages = listed(link, entries_to_port(family, protocol, port)) if link is not None else []
    entries = (read_entry(sandbox, message) for message in messages)
    wanted = (protocol, port)
    return tuple(each for each in entries if each and (each.protocol, each.original.destination_port) == wanted)[
        :MOST_ENTRIES
    ]
