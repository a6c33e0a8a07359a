"""A frame is taken out of a datagram that is VXLAN, and out of nothing else."""

import pytest
from overlays import NODE, OWN, packed
from topologies import echo

from inspector.wire.headers import read
from inspector.wire.vxlan import Carried, carried_frame

FRAME = echo("10.0.9.3", "10.0.9.5")


def unpacked(frame: bytes, port: int = 4789) -> Carried | None:
    outer = read(frame)
    assert outer
    return carried_frame(outer, port)


def test_the_frame_inside() -> None:
    assert unpacked(packed(FRAME, number=0xABCDEF)) == Carried(0xABCDEF, OWN, NODE, FRAME)


@pytest.mark.parametrize("cut", range(15, 50))
def test_no_bytes_raise(cut: int) -> None:
    assert unpacked(packed(FRAME)[:cut]) is None


def test_another_port_or_no_number_is_no_vxlan() -> None:
    assert unpacked(packed(FRAME), 4790) is None
    whole = packed(FRAME)
    without = whole[:42] + b"\0" + whole[43:]
    assert unpacked(without) is None
    assert unpacked(FRAME) is None
