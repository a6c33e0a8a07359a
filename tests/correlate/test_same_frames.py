"""Frames without a mark are one packet while no point sees them twice."""

from inspector.correlate.same_frames import same_frames
from inspector.model.question import Heading
from inspector.model.recording import Observation


def seen(point: int, at_ns: int, frame: bytes = b"who has") -> Observation:
    return Observation(point, at_ns, Heading.IN, 1, frame, len(frame))


def test_one_frame_at_several_points_is_one_packet() -> None:
    assert same_frames([seen(0, 5), seen(1, 6), seen(2, 6)], ()) == {0: 1, 1: 1, 2: 1}


def test_the_same_frame_again_is_another_packet() -> None:
    assert same_frames([seen(0, 5), seen(1, 6), seen(0, 9), seen(1, 10), seen(2, 11)], ()) == {
        0: 1,
        1: 1,
        2: 2,
        3: 2,
        4: 2,
    }


def test_other_bytes_are_another_packet_and_those_apart_are_left_out() -> None:
    assert same_frames([seen(0, 5), seen(1, 6, b"it is me"), seen(0, 7)], {2}) == {0: 1, 1: 2}
