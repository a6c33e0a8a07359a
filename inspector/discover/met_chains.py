"""List the chains that a trace's packets met, with the rules that matched, as their owner would write them.

Only chains that were met are asked for, and only rules that matched are understood: thousands of other rules cost
their listing at most, and in other chains nothing.
"""

from collections.abc import Iterator, Mapping
from functools import partial

from msgspec.structs import replace

from inspector import netns
from inspector.errors import InspectorError
from inspector.model.recording import Recording
from inspector.model.rules import Chain, Traversal
from inspector.model.sentence import say
from inspector.model.topology import HOST, BlindSpot, SandboxId
from inspector.netfilter.chains import list_chains, read_chains
from inspector.wire.nft_mark import OWN_TABLES

_Where = tuple[str, str, str]


def with_chains(recording: Recording, namespaces: Mapping[SandboxId, int]) -> Recording:
    """Return the recording with the chains that its traversals passed; what cannot be listed is a blind spot."""
    met: dict[SandboxId, dict[_Where, None]] = {}
    handles: dict[SandboxId, set[int]] = {}
    for traversal in recording.firewall.traversals:
        for where, handle in _met(traversal):
            met.setdefault(traversal.sandbox, {})[where] = None
            handles.setdefault(traversal.sandbox, set()).update([handle] if handle is not None else ())
    chains: list[Chain] = []
    spots: list[BlindSpot] = []
    for sandbox, wanted in met.items():
        try:
            chains.extend(netns.enter(namespaces[sandbox], partial(read_chains, sandbox, wanted, handles[sandbox])))
        except (OSError, InspectorError) as error:
            why = error.message if isinstance(error, InspectorError) else error.strerror or str(error)
            spots.append(
                BlindSpot(
                    say("rules of {sandbox}", sandbox=sandbox),
                    say("the rules that were met cannot be listed: {why}", why=why),
                )
            )
    firewall = replace(recording.firewall, chains=tuple(chains))
    return replace(recording, firewall=firewall, blind_spots=(*recording.blind_spots, *spots))


def standing_chains(namespaces: Mapping[SandboxId, int]) -> tuple[Chain, ...]:
    """Return the host's chains, short ones with all their rules; nothing where they cannot be read."""
    try:
        return netns.enter(namespaces[HOST], _all_chains)
    except (OSError, KeyError, InspectorError):
        # The rule trace meets the same obstacle, and says so.
        return ()


def _all_chains() -> tuple[Chain, ...]:
    others = [each for each in list_chains() if not each[1].startswith(OWN_TABLES)]
    return read_chains(HOST, others, ())


def _met(traversal: Traversal) -> Iterator[tuple[_Where, int | None]]:
    for step in traversal.steps:
        yield (traversal.family, traversal.table, step.chain), step.handle
