"""Show what a long capture has counted: as it goes, and at the end."""

from collections.abc import Iterator, Sequence

from inspector.model.point_count import CaptureCount, PointCount

NAME_LIMIT = 40
_THOUSAND = 1000


def render_beginning(count: CaptureCount) -> str:
    """Return what is said when all that is there is listened to."""
    points = len(count.points)
    if not points:
        return "nothing to capture at yet: what starts is followed, Ctrl-C ends it"
    return f"capturing at {points} point{'' if points == 1 else 's'}, Ctrl-C ends it"


def render_progress(count: CaptureCount, *, width: int, height: int) -> tuple[str, ...]:
    """Return the lines of the moment; the points that got most where not all have room."""
    points = [each for each in count.points if not each.ended]
    room = max(height - 4, 1)
    shown = points if len(points) <= room else sorted(points, key=lambda each: -each.frames)[: room - 1]
    lines = [f"{count.elapsed_s:.0f} s  {_amount(count)}, {count.dropped:,} dropped"]
    lines += _table(shown, [each.frames for each in shown], "frames")
    if len(shown) < len(points):
        lines.append(f"  and {len(points) - len(shown)} points more")
    return tuple(each[:width] for each in lines)


def render_summary(count: CaptureCount, place: str) -> str:
    """Return what a capture says at its end."""
    lines = [f"captured {_amount(count)} in {count.elapsed_s:.1f} s: {place}"]
    lines += _table(count.points, [each.received for each in count.points], "received")
    if count.dropped:
        lines.append(f"{count.dropped:,} frames were dropped: they came faster than they could be written")
    return "\n".join(lines)


def _table(points: Sequence[PointCount], numbers: Sequence[int], word: str) -> Iterator[str]:
    if not points:
        return
    rows = [("point", word, "dropped", "bytes", "")]
    for each, number in zip(points, numbers, strict=True):
        end = "ended" if each.ended else ""
        rows.append((_short(each.point), f"{number:,}", f"{each.dropped:,}", _bytes(each.wire_bytes), end))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for name, *numbers_shown, end in rows:
        cells = (f"{cell:>{width}}" for cell, width in zip(numbers_shown, widths[1:], strict=False))
        yield "  ".join(("", f"{name:<{widths[0]}}", *cells, end)).rstrip()


def _short(name: str) -> str:
    return name if len(name) <= NAME_LIMIT else name[: NAME_LIMIT - 1] + "…"


def _amount(count: CaptureCount) -> str:
    return f"{count.frames:,} frame{'' if count.frames == 1 else 's'} ({_bytes(count.wire_bytes)})"


def _bytes(number: int) -> str:
    """Write a number of bytes in the powers of ten that network people count in."""
    amount, units = float(number), iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while round(amount, 1) >= _THOUSAND and unit != "PB":
        amount /= _THOUSAND
        unit = next(units)
    return f"{number} B" if unit == "B" else f"{amount:.1f} {unit}"
