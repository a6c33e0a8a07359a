"""What a report says beside its findings."""

from msgspec.structs import replace
from name_cases import known, resolved

from inspector.model.question import CapturePoint
from inspector.model.recording import Lookup, TapCount
from inspector.model.topology import BlindSpot, LinkKey, SandboxId
from inspector.pipeline import review
from inspector.render.report_text import render_text

LEFT = "nothing left the namespace"
ETH1 = CapturePoint(LinkKey(SandboxId("web"), 3), "eth1")


def dual_homed(*, lost: int) -> Lookup:
    """Return a lookup of a known name by a source with two interfaces; the first one's capture lost frames."""
    asked = known("db", "172.18.0.3")
    points = (*asked.plan.points, ETH1)
    eth0 = next(index for index, each in enumerate(points) if str(each) == "web/eth0")
    counts = tuple(TapCount(index, 10, lost if index == eth0 else 0) for index in range(len(points)))
    return replace(asked, plan=replace(asked.plan, points=points), counts=counts)


def test_frames_that_a_lookup_lost_are_a_blind_spot_and_no_silence() -> None:
    whole = review(resolved(dual_homed(lost=0)))
    assert whole.blind_spots == ()
    assert LEFT in render_text(whole)
    lossy = review(resolved(dual_homed(lost=9)))
    assert lossy.blind_spots == (BlindSpot("web/eth0", "the capture lost 9 frames here while the name was looked up"),)
    assert LEFT not in render_text(lossy)
    assert "could not see  web/eth0: the capture lost 9 frames here" in render_text(lossy)
