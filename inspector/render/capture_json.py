"""A capture report as JSON: the contract that scripts rely on. Pure."""

import json
from enum import Enum
from typing import Any

from msgspec import Struct

from inspector.model.capture import CaptureReport

SCHEMA = "dnetsniff.capture/1"


def capture_dict(report: CaptureReport) -> dict[str, Any]:
    """Return the report as plain values: the names of the model, times as integer nanoseconds."""
    return {"schema": SCHEMA, **_plain(report)}


def render_capture_json(report: CaptureReport) -> str:
    """Return the report as one JSON object, safe on any terminal: everything beyond ASCII is escaped."""
    return json.dumps(capture_dict(report), indent=2)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Struct):
        return {name: _plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return value
