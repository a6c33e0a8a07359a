"""Find a packet that the stack it came to has no way for, by the word of that stack's kernel. Pure.

The kernel was asked when the probes were done, for the very packet (see `plan/consult`): routes, policy rules, the
reverse-path filter and forwarding are its word. A firewall is not in it.
"""

from inspector.model.path import Direction, Path, Seen
from inspector.model.question import Heading
from inspector.model.recording import Recording
from inspector.model.routing import RouteAnswer


def unrouted(recording: Recording, path: Path | None) -> tuple[Seen, RouteAnswer] | None:
    """Return where the packet was last seen, and the refusal of the stack there: of the packet, or of its answer."""
    last = path.seen[-1] if path and path.seen else None
    if path is None or last is None or last.heading is not Heading.IN:
        return None
    arrived = path.direction is Direction.REQUEST and last.point.sandbox == recording.plan.destination.sandbox
    for answer in recording.routing.answers:
        query = answer.query
        if not answer.error or query.sandbox != last.point.sandbox:
            continue
        # A translation on the way makes it another packet than the one that was asked about.
        came_in = query.direction is path.direction and query.inbound == last.point.link
        same = (query.source, query.destination) == (last.source, last.destination)
        goes_back = arrived and query.direction is Direction.REPLY and query.inbound is None
        answers = (query.source, query.destination) == (last.destination, last.source)
        if (came_in and same) or (goes_back and answers):
            return last, answer
    return None
