"""What a long capture says fits a terminal, and leaves no loss out."""

import pytest

from inspector.model.point_count import CaptureCount, PointCount
from inspector.render.counts_text import render_beginning, render_progress, render_summary


def count(*points: PointCount) -> CaptureCount:
    return CaptureCount(points, elapsed_s=12.34, written=2_000, files=1)


WEB = PointCount("web/eth0", frames=14, wire_bytes=1_492, received=14, dropped=0)
BRIDGE = PointCount("host/docker0", frames=1_234_567, wire_bytes=999_960, received=1_300_000, dropped=65_433)
OLD = PointCount("old/eth0", frames=1, wire_bytes=98, received=1, dropped=0, ended=True)


def test_the_summary_has_received_and_dropped_of_every_point() -> None:
    assert render_summary(count(WEB, BRIDGE, OLD), "all.pcapng").splitlines() == [
        "captured 1,234,582 frames (1.0 MB) in 12.3 s: all.pcapng",
        "  point          received  dropped   bytes",
        "  web/eth0             14        0  1.5 kB",
        "  host/docker0  1,300,000   65,433  1.0 MB",
        "  old/eth0              1        0    98 B  ended",
        "65,433 frames were dropped: they came faster than they could be written",
    ]


def test_what_goes_on_is_shown_in_the_room_there_is() -> None:
    many = [PointCount(f"{'x' * 60}{number}/eth0", number, number, number, 0) for number in range(50)]
    lines = render_progress(count(*many, OLD), width=79, height=24)
    assert len(lines) <= 22
    assert max(map(len, lines)) <= 79
    assert lines[-1] == "  and 31 points more"
    assert "old" not in "".join(lines)


@pytest.mark.parametrize(
    ("points", "words"),
    [((), "nothing to capture at yet"), ((WEB,), "capturing at 1 point,"), ((WEB, OLD), "capturing at 2 points,")],
)
def test_it_says_when_it_listens(points: tuple[PointCount, ...], words: str) -> None:
    assert words in render_beginning(count(*points))
