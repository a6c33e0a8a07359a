"""Read what connection tracking remembers of the probes, in each network stack that they passed."""

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from inspector import netns
from inspector.errors import InspectorError, PrivilegeError
from inspector.model.conntrack import ConntrackEntry, ConntrackRecord, Flow
from inspector.model.question import Protocol
from inspector.model.recording import Recording
from inspector.model.sentence import say
from inspector.model.topology import HOST, BlindSpot, SandboxId
from inspector.netfilter.conntrack import read_flows, read_port


def with_conntrack(
    recording: Recording, flows: Mapping[SandboxId, tuple[Flow, ...]], namespaces: Mapping[SandboxId, int]
) -> Recording:
    """Return the recording with the entries of its flows; what cannot be read is a blind spot."""
    question = recording.plan.question
    own: list[ConntrackEntry] = []
    spots: list[BlindSpot] = []
    standing: tuple[ConntrackEntry, ...] = ()
    for sandbox, wanted in flows.items():
        if sandbox not in namespaces:
            continue
        try:
            own.extend(netns.enter(namespaces[sandbox], partial(read_flows, sandbox, question.protocol, wanted)))
            if sandbox == HOST and recording.plan.publication and question.protocol is Protocol.UDP and question.port:
                asked = partial(read_port, HOST, question.protocol, recording.plan.family, question.port)
                standing = netns.enter(namespaces[HOST], asked)
        except (OSError, InspectorError) as error:
            why = error.message if isinstance(error, InspectorError) else error.strerror or str(error)
            spots.append(BlindSpot(say("conntrack of {sandbox}", sandbox=sandbox), why))
            if isinstance(error, PrivilegeError):
                break
    conntrack = ConntrackRecord(tuple(own), standing)
    return replace(recording, conntrack=conntrack, blind_spots=(*recording.blind_spots, *spots))
