"""Paths and hops as JSON. Pure."""

from typing import Any

from inspector.model.path import Hop, Path, Seen


def path_dict(path: Path) -> dict[str, Any]:
    """Return one packet's way."""
    return {
        "direction": path.direction.value,
        "sequence": path.sequence,
        "segment": path.segment or None,
        "proxied": path.proxied,
        "hops": [hop_dict(each) for each in path.hops],
    }


def hop_dict(hop: Hop) -> dict[str, Any]:
    """Return one place on a way; what was not seen has a reason, and null for the rest."""
    seen = hop if isinstance(hop, Seen) else None
    return {
        "point": str(hop.point),
        "sandbox": hop.point.sandbox,
        "interface": hop.point.interface,
        "heading": hop.heading.value,
        "seen": seen is not None,
        "why": None if isinstance(hop, Seen) else hop.why,
        "at_ns": seen.at_ns if seen else None,
        "delta_ns": seen.delta_ns if seen else None,
        "source_mac": seen.source_mac if seen else None,
        "destination_mac": seen.destination_mac if seen else None,
        "source": seen.source if seen else None,
        "destination": seen.destination if seen else None,
        "ttl": seen.ttl if seen else None,
        "rewrites": [
            {"field": each.field, "before": each.before, "after": each.after}
            for each in (seen.rewrites if seen else ())
        ],
    }
