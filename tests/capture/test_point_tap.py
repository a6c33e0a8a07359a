"""How the memory of a long capture is shared out: bounded, and something left for who comes later."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.capture.point_tap import LEAST_BLOCK, MOST_AT_FIRST, MOST_MEMORY, MOST_PER_POINT, share_out


def test_few_points_have_large_rings() -> None:
    assert [share_out(each)[1].size for each in (1, 3, 12)] == [MOST_PER_POINT] * 3
    assert share_out(40)[1].size == 4 * 1024 * 1024 + 3 * 256 * 1024
    assert share_out(768) == (768, share_out(768)[1])
    assert share_out(769)[0] == 768, "for one more there is no room"


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_all_together_stay_within_the_bound(arrivals: list[int]) -> None:
    taken = 0
    for new in arrivals:
        count, shape = share_out(new, taken)
        assert 0 <= count <= new
        if count:
            assert shape.blocks >= 2
            assert shape.block_size >= LEAST_BLOCK
            taken += count * shape.size
        assert taken <= MOST_MEMORY
    assert MOST_AT_FIRST < MOST_MEMORY
