"""Find the sightings of one packet among frames that have no mark: ARP, neighbour discovery and others. Pure.

A switch leaves such a frame as it is: the same bytes are the same packet, until a point sees them once more.
"""

from collections.abc import Collection, Sequence

from inspector.model.recording import Observation


def same_frames(observations: Sequence[Observation], apart: Collection[int]) -> dict[int, int]:
    """Return for the index of each frame but those `apart` the number of its packet, from 1."""
    rest = (index for index in range(len(observations)) if index not in apart)
    current: dict[bytes, tuple[int, set[int]]] = {}
    found: dict[int, int] = {}
    packets = 0
    for index in sorted(rest, key=lambda each: observations[each].at_ns):
        seen = observations[index]
        number, points = current.get(seen.frame, (0, set()))
        if not number or seen.point in points:
            packets += 1
            number, points = packets, set()
        current[seen.frame] = number, points | {seen.point}
        found[index] = number
    return found
