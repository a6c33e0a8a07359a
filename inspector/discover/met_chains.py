"""List the chains that a trace's packets met, with the rules that matched, as their owner would write them.

Only chains that were met are asked for, and only rules that matched are understood: thousands of other rules cost
their listing at most, and in other chains nothing.
"""

import errno
import os
import socket
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import partial

from inspector import netns
from inspector.errors import InspectorError
from inspector.model.recording import Recording
from inspector.model.rules import Backend, Chain, ChainKey, ChainRule, Traversal
from inspector.model.topology import BlindSpot, SandboxId
from inspector.wire import nf_tables
from inspector.wire.nfnetlink import (
    DONE,
    DUMP,
    ERROR,
    GET_CHAIN,
    GET_RULE,
    NEW_CHAIN,
    Message,
    error_number,
    messages,
    read_rule,
)
from inspector.wire.nft_chains import read_hooked, request_chain, rule_handle

_NETLINK_NETFILTER = 12
_RECEIVED = 65_536
_PATIENCE_S = 5
_ACK = 0x4


def with_chains(recording: Recording, namespaces: Mapping[SandboxId, int]) -> Recording:
    """Return the recording with the chains that its traversals passed; what cannot be listed is a blind spot."""
    met: dict[SandboxId, dict[ChainKey, set[int]]] = {}
    for traversal in recording.firewall.traversals:
        for key, handle in _met(traversal):
            handles = met.setdefault(traversal.sandbox, {}).setdefault(key, set())
            handles.update([handle] if handle is not None else ())
    chains: list[Chain] = []
    spots: list[BlindSpot] = []
    for sandbox, wanted in met.items():
        try:
            chains.extend(netns.enter(namespaces[sandbox], partial(read_chains, sandbox, wanted, wanted)))
        except (OSError, InspectorError) as error:
            why = error.message if isinstance(error, InspectorError) else os.strerror(error.errno or 0).lower()
            spots.append(BlindSpot(f"rules of {sandbox}", f"the rules that were met cannot be listed: {why}"))
    firewall = replace(recording.firewall, chains=tuple(chains))
    return replace(recording, firewall=firewall, blind_spots=(*recording.blind_spots, *spots))


def read_chains(
    sandbox: SandboxId,  # noqa: ARG001 - whose stack the calling thread is in
    wanted: Collection[ChainKey],
    handles: Mapping[ChainKey, Collection[int]],
) -> tuple[Chain, ...]:
    """List these chains of the calling thread's network stack, and of each the rules with these handles.

    A chain that went away meanwhile is left out. Raises OSError.
    """
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, _NETLINK_NETFILTER) as sock:
        sock.settimeout(_PATIENCE_S)
        found = (_chain(sock, key, handles.get(key, ())) for key in wanted)
        return tuple(each for each in found if each is not None)


def _met(traversal: Traversal) -> Iterator[tuple[ChainKey, int | None]]:
    for step in traversal.steps:
        key = ChainKey(traversal.sandbox, Backend.NFT, traversal.family, traversal.table, step.chain)
        yield key, step.handle


def _chain(sock: socket.socket, key: ChainKey, handles: Collection[int]) -> Chain | None:
    asked = request_chain(GET_CHAIN, _ACK, key.family, key.table, key.chain)
    about = next((each for each in _listed(sock, asked) if each.type == NEW_CHAIN), None)
    hooked = read_hooked(about) if about else None
    if hooked is None:
        return None
    kept: list[ChainRule] = []
    size = 0
    for message in _listed(sock, request_chain(GET_RULE, DUMP, key.family, key.table, key.chain)):
        handle = rule_handle(message)
        if handle is None:
            continue
        size += 1
        if handle in handles:
            kept.append(_rule(message, key.chain, handle, size))
    return Chain(key=key, size=size, hook=hooked.hook, rules=tuple(kept))


def _rule(message: Message, chain: str, handle: int, position: int) -> ChainRule:
    rule = read_rule(message)
    if rule is None:
        return ChainRule(handle=handle, position=position, text="[a rule of another family]", target="")
    draft = nf_tables.decode(rule)
    words = draft.text(chain).removeprefix(f"-A {chain}").strip()
    return ChainRule(handle=handle, position=position, text=words, target=draft.target or "")


def _listed(sock: socket.socket, asked: bytes) -> list[Message]:
    """Ask, and receive to the end of the answer; nothing where what is asked for is not there."""
    sock.send(asked)
    found: list[Message] = []
    while True:
        for message in messages(sock.recv(_RECEIVED)):
            if message.type in {DONE, ERROR}:
                if (number := error_number(message)) and number != errno.ENOENT:
                    raise OSError(number, os.strerror(number))
                return [] if number else found
            found.append(message)
