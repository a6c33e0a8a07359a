"""DNS messages from anyone: nothing raises, nothing reaches a terminal, and work has an end."""

import random
import struct

import pytest
from dns_messages import COMPRESSED, GOOD, POINTER, header, is_harmless, question, read, record, texts
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from inspector.wire import dns, dns_name


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_exception(payload: bytes) -> None:
    found = dns.read(payload)
    assert (found is None) == (len(payload) < 12)
    assert found is None or is_harmless(found)
    assert all(is_harmless(each) for each in dns.read_stream(payload))


@given(
    st.tuples(*[st.integers(0, 3)] * 4),
    st.lists(
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from([POINTER, question(), record(bytes(4)), record(b"\3a\x1b\n", kind=16), b"\xc0\x0d"]),
        ),
        max_size=12,
    ),
)
def test_almost_messages_are_read_without_an_exception(counts: tuple[int, ...], parts: list[bytes]) -> None:
    assert is_harmless(read(header(*counts) + b"".join(parts)))


@pytest.mark.parametrize("name", GOOD)
def test_flipped_bytes_are_read_without_an_exception(name: str) -> None:
    chance = random.Random(name)
    damaged = 0
    for _ in range(600):
        payload = bytearray(COMPRESSED[name])
        for _ in range(chance.randint(1, 4)):
            payload[chance.randrange(len(payload))] = chance.randrange(256)
        found = read(bytes(payload))
        assert is_harmless(found)
        damaged += found.damage is not None
    assert 0 < damaged < 600


@pytest.mark.parametrize("name", GOOD)
def test_every_prefix_says_no_more_than_the_whole(name: str) -> None:
    whole = read(COMPRESSED[name])
    for length in range(12, len(COMPRESSED[name])):
        part = read(COMPRESSED[name][:length])
        assert part.asked in {None, whole.asked}
        assert part.answers == whole.answers[: len(part.answers)]
        assert part.damage or (part.asked, part.answers) == (whole.asked, whole.answers)


class Counted(Struct):
    """Keeps the readers of names that were made, to ask them what they did."""

    made: list[dns_name.Names]

    def __call__(self, message: bytes) -> dns_name.Names:
        self.made.append(dns_name.Names(message))
        return self.made[-1]


def hostile() -> dict[str, bytes]:
    """Build messages of nearly 64 KiB, most of it pointers; the chain is as long as one name may follow."""
    steps = b"".join((0xC000 | at).to_bytes(2, "big") for at in (12, *range(31, 31 + 2 * 62, 2)))
    last = (0xC000 | 31 + 2 * 62).to_bytes(2, "big")
    longest = b"\1a" * 127 + b"\0"
    return {
        "self": header(0xFFFF, 0, 0, 0) + POINTER * 32_000,
        "questions": header(0xFFFF, 0, 0, 0) + question(longest) + (POINTER + struct.pack("!HH", 1, 1)) * 10_000,
        "answers": header(1, 0xFFFF, 0, 0) + question(longest) + record(POINTER, kind=5) * 4_000,
        "names in data": header(1, 0xFFFF, 0, 0) + question(longest) + record(POINTER * 2 + bytes(20), kind=6) * 1_500,
        "chain": header(1, 0xFFFF, 0, 0) + question() + record(steps, kind=65280) + record(last, last, kind=5) * 4_000,
        "strings": header(1, 0xFFFF, 0, 0) + question() + record(bytes(60_000), kind=16),
    }


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("self", 1),
        ("questions", dns_name.MAX_STEPS),
        ("answers", dns_name.MAX_STEPS),
        ("names in data", dns_name.MAX_STEPS),
        ("chain", dns_name.MAX_STEPS),
        ("strings", 6),
    ],
)
def test_work_is_bounded_however_names_point(name: str, steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = Counted([])
    monkeypatch.setattr(dns, "Names", counted)
    payload = hostile()[name]
    assert len(payload) > 45_000
    found = read(payload)
    assert found.damage is not None
    assert len(counted.made) == 1
    assert counted.made[0].steps == steps
    assert sum(len(text) for text in texts(found)) < 300_000


def test_a_hundred_honest_records_fit_into_the_budget() -> None:
    reverse = dns.encode_name(dns.reverse_name("2001:db8::1"))
    answers = record(b"\3web\7example\3com\0", kind=12) * 100
    found = read(header(1, 100, 0, 0) + question(reverse, 12) + answers)
    assert (len(found.answers), found.damage) == (100, None)
