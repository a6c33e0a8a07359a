"""Find the rule that stopped a packet, and say so. Pure.

A rule is named only where the kernel told that it dropped this very packet, nothing saw the packet further on, and no
other copy of it was let through by the same chain.
"""

from msgspec import Struct

from inspector.model.path import Direction, Path, Seen
from inspector.model.recording import Answered, Recording
from inspector.model.report import Rule
from inspector.model.sentence import say
from inspector.model.topology import HOST
from inspector.model.walk import MetRule, WalkStep


class Stop(Struct, frozen=True):
    """Which packet was stopped, where, and by which rule."""

    path: Path
    step: WalkStep
    met: MetRule

    @property
    def rule(self) -> Rule:
        """The rule, as a verdict names it."""
        met, step = self.met, self.step
        place = step.family, step.table, met.chain
        return Rule(*place, met.position, met.text, met.owner, sandbox=step.sandbox, handle=met.handle)

    @property
    def rejects(self) -> bool:
        """Whether the rule also sends an answer."""
        return "reject" in self.met.text.lower()

    @property
    def summary(self) -> str:
        """Where it was and which rule: `on the host, after docker0, by rule 4 of 5 in raw PREROUTING`."""
        return say("{place}, by {rule}", place=self._place(), rule=self.step.name(self.met))

    def _place(self) -> str:
        hops, step = self.path.hops, self.step
        where = say("on the host") if step.sandbox == HOST else say("in {sandbox}", sandbox=step.sandbox)
        behind = [hop for hop in hops[: step.after + 1] if isinstance(hop, Seen) and hop.point.sandbox == step.sandbox]
        ahead = [hop for hop in hops[step.after + 1 :] if hop.point.sandbox == step.sandbox]
        if behind:
            return say("{place}, after {interface}", place=where, interface=behind[-1].point.interface)
        return say("{place}, before {interface}", place=where, interface=ahead[0].point.interface) if ahead else where


def find_stop(recording: Recording, paths: tuple[Path, ...]) -> Stop | None:
    """Return what stopped the first packet that was stopped by a rule."""
    replied = {each.sequence for each in recording.probes if isinstance(each, Answered) and each.answer == "reply"}
    back = {path.sequence for path in paths if path.direction is Direction.REPLY}
    for path in paths:
        came_through = path.direction is Direction.REQUEST and path.sequence in back
        if path.sequence not in replied and not came_through and (stop := _first(path)):
            return stop
    return None


def find_rejection(recording: Recording, paths: tuple[Path, ...]) -> Stop | None:
    """Return the rule that answered no to a probe which got such an answer."""
    refused = {each.sequence for each in recording.probes if isinstance(each, Answered) and each.answer != "reply"}
    requests = (each for each in paths if each.direction is Direction.REQUEST and each.sequence in refused)
    return next((stop for path in requests if (stop := _first(path)) and stop.rejects), None)


def _first(path: Path) -> Stop | None:
    return next((Stop(path, each, each.decided) for each in path.stops if each.decided), None)
