"""Paths and hops as JSON. Pure."""

from typing import Any

from inspector.model.path import Hop, Path, Seen
from inspector.model.walk import POLICY, MetRule, WalkStep


def path_dict(path: Path) -> dict[str, Any]:
    """Return one packet's way."""
    return {
        "direction": path.direction.value,
        "sequence": path.sequence,
        "segment": path.segment or None,
        "proxied": path.proxied,
        "hops": [{**hop_dict(each), **_pieces(each)} for each in path.hops],
        "rules": [rule_dict(step, met) for step in path.walk for met in step.rules],
    }


def rule_dict(step: WalkStep, met: MetRule) -> dict[str, Any]:
    """Return one rule that matched, or a policy that decided (position 0); `after_hop` counts from 0, -1 is ahead."""
    return {
        "sandbox": step.sandbox,
        "hook": step.hook,
        "family": step.family,
        "table": step.table,
        "chain": met.chain,
        "position": met.position if met.position >= POLICY else None,
        "text": met.text,
        "verdict": met.verdict,
        "owner": met.owner,
        "after_hop": step.after,
    }


def _pieces(hop: Hop) -> dict[str, Any]:
    """Return in how many frames a packet passed, and whether they were all of it, and what carried it."""
    seen = hop if isinstance(hop, Seen) else None
    return {
        "fragments": seen.fragments if seen else None,
        "whole": seen.whole if seen else None,
        "carrier": (seen.carrier or None) if seen else None,
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
