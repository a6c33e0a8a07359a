"""Rings that are set up ahead: they are taken once, work as any other, and what is left is closed."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from inspector import netns
from inspector.capture import ready_rings
from inspector.capture.tap import Tap

pytestmark = pytest.mark.kernel


@pytest.fixture
def own() -> Iterator[int]:
    with netns.own() as namespace:
        yield namespace.fd


def held() -> int:
    """Count the descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_ring_is_taken_once_and_the_rest_is_closed(own: int) -> None:
    before = held()
    with ExitStack() as until:
        ready_rings.begin([own], [3], until)
        taken = ready_rings.take(own, 2)
        rest = ready_rings.take(own, 2)
        assert (len(taken), len(rest), ready_rings.take(own, 1)) == (2, 1, [])
        for each in (*taken, *rest):
            each.result().close()
        ready_rings.begin([own], [2], until)
    assert held() == before


def test_a_tap_listens_by_a_ring_that_is_ready(own: int) -> None:
    with ExitStack() as until:
        ready_rings.begin([own], [1], until)
        ready = ready_rings.take(own, 1)[0].result()
        tap = Tap(ready.sock, socket.if_nametoindex("lo"), ring=ready.ring)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"ready rings", ("127.0.0.1", 9))
        seen: list[bytes] = []
        while not any(b"ready rings" in each for each in seen):
            seen.extend(frame.data for frame in tap.read())
        tap.close()


def test_a_namespace_that_is_none_is_left_out() -> None:
    with ExitStack() as until, Path("/dev/null").open("rb") as nothing:
        ready_rings.begin([nothing.fileno()], [1], until)
        assert ready_rings.take(nothing.fileno(), 1) == []
