"""Decide how long full blocks are let gather before they are written. Pure.

A processor that has been elsewhere works on the first block three times as long as on the next (measured), so blocks
are worth waiting for; but only as long as the ring has room for many times as much.
"""

SHORTEST_NS, LONGEST_NS = 5_000_000, 100_000_000
LITTLE, MUCH = 1 / 12, 1 / 5
"""Of a ring, that has filled meanwhile."""


def next_pause(pause_ns: int, filled: float) -> int:
    """Return how long to wait next, where the last pause filled so much of the fullest ring."""
    if filled > MUCH:
        shorter = pause_ns // 4
        return shorter if shorter >= SHORTEST_NS else 0
    return min(max(pause_ns * 2, SHORTEST_NS), LONGEST_NS) if filled < LITTLE else pause_ns
