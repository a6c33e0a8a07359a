"""Compare the counters of legacy firewall rules around a run: the kernel tells nothing of them while it lasts."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from msgspec import Struct, field

from inspector import netns
from inspector.errors import InspectorError
from inspector.model.question import Plan
from inspector.model.rules import Chain
from inspector.model.sentence import say
from inspector.model.topology import BlindSpot, SandboxId
from inspector.netfilter.legacy import LegacyTable, read_legacy, risen


class LegacyWatch(Struct):
    """The legacy tables of a run's stacks, as they were before it."""

    family: int
    namespaces: Mapping[SandboxId, int]
    tables: dict[SandboxId, tuple[LegacyTable, ...]] = field(default_factory=dict)
    """Of stacks that have any."""
    blind_spots: list[BlindSpot] = field(default_factory=list)

    def begin(self, sandbox: SandboxId) -> None:
        """Read the tables of a stack."""
        if tables := self._read(sandbox):
            self.tables[sandbox] = tables

    def compared(self) -> tuple[tuple[Chain, ...], tuple[Chain, ...]]:
        """Read them again; return what had work meanwhile, before and after."""
        before: list[Chain] = []
        after: list[Chain] = []
        for sandbox, tables in self.tables.items():
            compare = partial(risen, sandbox, tables, self._read(sandbox))
            old, new = netns.enter(self.namespaces[sandbox], compare)
            before.extend(old)
            after.extend(new)
        return tuple(before), tuple(after)

    def _read(self, sandbox: SandboxId) -> tuple[LegacyTable, ...]:
        try:
            return netns.enter(self.namespaces[sandbox], partial(read_legacy, self.family))
        except (InspectorError, OSError) as error:
            why = error.message if isinstance(error, InspectorError) else os.strerror(error.errno or 0).lower()
            self.blind_spots.append(BlindSpot(say("legacy rules of {sandbox}", sandbox=sandbox), why))
            return ()


@contextmanager
def legacy_watch(plan: Plan, namespaces: Mapping[SandboxId, int], *, wanted: bool = True) -> Iterator[LegacyWatch]:
    """Have the legacy tables of the plan's stacks compared around the block; `namespaces` stay the caller's."""
    watch = LegacyWatch(plan.family, namespaces)
    ends = (plan.source.sandbox, plan.destination.sandbox)
    for sandbox in dict.fromkeys((*(each.sandbox for each in plan.points), *(each for each in ends if each))):
        if wanted and sandbox in namespaces:
            watch.begin(sandbox)
    yield watch
