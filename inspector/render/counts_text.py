"""Show what a long capture has counted: as it goes, and at the end."""

from collections.abc import Iterator

from inspector.model.point_count import CaptureCount, PointCount

NAME_LIMIT = 40


def render_progress(count: CaptureCount, *, width: int, height: int) -> tuple[str, ...]:
    """Return the lines of the moment; the points that got most where not all have room."""
    points = [each for each in count.points if not each.ended]
    room = max(height - 3, 1)
    shown = points if len(points) <= room else sorted(points, key=lambda each: -each.frames)[: room - 1]
    lines = [f"{count.elapsed_s:.0f} s   {_amount(count.frames, count.wire_bytes)}   dropped {count.dropped:,}"]
    lines += _table(shown, live=True)
    if len(shown) < len(points):
        lines.append(f"  and {len(points) - len(shown)} points more")
    return tuple(each[:width] for each in lines)


def render_summary(count: CaptureCount, place: str) -> str:
    """Return what a capture says at its end."""
    lines = [f"captured {_amount(count.frames, count.wire_bytes)} in {count.elapsed_s:.1f} s: {place}"]
    lines += _table(count.points, live=False)
    if count.dropped:
        lines.append(f"{count.dropped:,} frames were dropped: they came faster than they could be written")
    return "\n".join(lines)


def _table(points: "list[PointCount] | tuple[PointCount, ...]", *, live: bool) -> Iterator[str]:
    names = max((len(each.point[:NAME_LIMIT]) for each in points), default=0)
    for each in points:
        frames = each.frames if live else each.received
        word = "frames" if live else "received"
        line = f"  {each.point[:NAME_LIMIT]:<{names}}  {word} {frames:,}  dropped {each.dropped:,}"
        yield f"{line}  {_bytes(each.wire_bytes)}" + ("  ended" if each.ended else "")


def _amount(frames: int, wire_bytes: int) -> str:
    return f"{frames:,} frame{'' if frames == 1 else 's'} ({_bytes(wire_bytes)})"


def _bytes(number: int) -> str:
    """Write a number of bytes in the powers of ten that network people count in."""
    if number < 1000:  # noqa: PLR2004 - no unit yet
        return f"{number} B"
    amount, unit = float(number), ""
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 - the unit is used afterwards
        amount /= 1000
        if amount < 1000:  # noqa: PLR2004 - the next unit
            break
    return f"{amount:.1f} {unit}"
