"""The live machine: where the adapters are chosen that survey and record."""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import TracebackType
from typing import Self

from inspector.capture.recorder import Order, Recorder
from inspector.discover.engine import Engine
from inspector.discover.survey import Stacks, look_again, survey
from inspector.model.question import Plan
from inspector.model.recording import Recording
from inspector.model.topology import Topology
from inspector.plan.filters import answer_program, tap_program
from inspector.wire.craft import TOKEN_LENGTH


class LiveHost:
    """An engine and its kernel. Holds namespaces open, by descriptor, until the block ends."""

    def __init__(
        self,
        engine: Engine,
        words: Iterable[str] | None = None,
        interruption: int | None = None,
        recorder: Recorder | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Look into the containers that the words mean, or into all; `interruption` turns readable on Ctrl-C.

        A `recorder` that was started before everything else saves the time it takes to load, and stays the caller's.
        What is done `meanwhile` it records costs nothing.
        """
        self._engine = engine
        self._words = tuple(words) if words is not None else None
        self._interruption = interruption
        self._recorder = recorder
        self._meanwhile = meanwhile
        self._stacks = Stacks()

    def __enter__(self) -> Self:
        """Start with nothing open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every descriptor."""
        self._stacks.__exit__(kind, value, trace)
        self._engine.close()

    def survey(self) -> Topology:
        """Say what is there."""
        return survey(self._engine, self._stacks, self._words)

    def record(self, topology: Topology, plan: Plan) -> Recording:
        """Watch, send the probes, and say what was seen."""
        identifier = secrets.randbelow(0xFFFF) + 1
        order = Order(
            topology=topology,
            plan=plan,
            token=secrets.token_bytes(TOKEN_LENGTH),
            identifier=identifier,
            tap_program=tap_program(plan, identifier),
            answer_program=answer_program(plan, identifier),
            sandboxes=tuple(self._stacks.namespaces),
            containers=tuple(self._stacks.processes),
        )
        recorder = self._recorder or Recorder(self._interruption)
        try:
            recording = recorder.record(order, self._stacks.descriptors(), self._stacks.processes, self._meanwhile)
        finally:
            if self._recorder is None:
                recorder.close()
        ends = [each for each in (plan.source.sandbox, plan.destination.sandbox) if each]
        return replace(recording, aftermath=look_again(self._stacks, ends))
