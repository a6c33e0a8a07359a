"""The words and figures of a capture report: sizes, moments, ends with their names. Pure."""

from datetime import UTC, datetime

from inspector.model.capture import Counted, Endpoint, Times
from inspector.model.sentence import say
from inspector.render.text import duration, durations

Names = dict[str, tuple[str, ...]]

_UNITS = ((1_000, 1, "B", 0), (1_000_000, 1_000, "kB", 1), (1_000_000_000, 1_000_000, "MB", 1))
_SECOND_NS = 1_000_000_000
_NAME_LIMIT = 32


def size(count: int) -> str:
    """Write a number of bytes with the unit that fits it: 850 B, 1.2 kB, 40.1 MB."""
    fitting = (each for each in _UNITS if count < each[0])
    _, divisor, unit, digits = next(fitting, (0, 1_000_000_000, "GB", 1))
    return f"{count / divisor:.{digits}f} {unit}"


def moment(at_ns: int) -> str:
    """Write a moment in UTC, to the millisecond; what no calendar has, as seconds."""
    try:
        at = datetime.fromtimestamp(at_ns // _SECOND_NS, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return say("second {number}", number=at_ns // _SECOND_NS)
    return f"{at:%Y-%m-%d %H:%M:%S}.{at_ns % _SECOND_NS // 1_000_000:03} UTC"


def end(endpoint: Endpoint, names: Names) -> str:
    """Write an end, with the first name that the file has for it."""
    return str(endpoint) + _name(endpoint.address, names)


def address(text: str, names: Names) -> str:
    """Write an address, likewise."""
    return text + _name(text, names)


def times(several: Times, count: int) -> str:
    """Write durations as one where they are one, else as min/avg/max."""
    return duration(several.min) if count == 1 else durations(several.min, several.avg, several.max)


def counted(there: Counted, back: Counted) -> str:
    """Write what went there and came back."""
    if not back.frames:
        return say("{there}, nothing back", there=frames(there))
    return say("{there}, {back} back", there=frames(there), back=frames(back))


def frames(seen: Counted) -> str:
    """Write frames and bytes."""
    if seen.frames == 1:
        return say("1 frame ({size})", size=size(seen.bytes))
    return say("{count:,} frames ({size})", count=seen.frames, size=size(seen.bytes))


def sent_again(segments: int) -> str:
    """Write how many segments of TCP were sent more than once."""
    if segments == 1:
        return say("1 segment sent again")
    return say("{count:,} segments sent again", count=segments)


def _name(text: str, names: Names) -> str:
    known = names.get(text)
    return f" ({known[0][:_NAME_LIMIT]})" if known else ""
