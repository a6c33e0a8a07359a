"""What was rewritten, as JSON. Pure."""

from typing import Any

from inspector.model.conntrack import Flow
from inspector.model.report import Translation


def translation_dict(translation: Translation) -> dict[str, Any]:
    """Return an entry of connection tracking and the rules behind it; `reply` is what answers are known by."""
    entry = translation.entry
    return {
        "sandbox": entry.sandbox,
        "protocol": entry.protocol.value,
        "original": _flow(entry.original),
        "reply": _flow(entry.reply),
        "status": list(entry.status),
        "rules": [
            {
                "family": each.family,
                "table": each.table,
                "chain": each.chain,
                "position": each.position,
                "text": each.text,
                "owner": each.owner,
            }
            for each in translation.rules
        ],
    }


def _flow(flow: Flow) -> dict[str, Any]:
    source, destination = flow.ends
    return {"source": source, "destination": destination, "identifier": flow.echo}
