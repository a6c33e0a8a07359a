"""Frames stay frames: no bytes raise, checksums are as right as before, payload of others is blanked."""

from ipaddress import IPv6Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inspector.archive import load
from inspector.wire import dns, headers
from inspector.wire.discovery import discovery
from inspector.withhold import messages
from inspector.withhold.addresses import Addresses
from inspector.withhold.checksums import carried_over, reduced, total
from inspector.withhold.frames import Frames
from inspector.withhold.words import Words

WORLDS = sorted(each for each in (Path(__file__).parents[1] / "worlds").iterdir() if each.is_dir())
TOKEN = bytes(range(16))


def frames(token: bytes = TOKEN) -> Frames:
    addresses = Addresses(b"salt", ())
    return Frames(
        Words(b"salt", addresses, ("web", "shop"), ("br-0123456789ab",), ("ab" * 32,)), addresses, token, 4789
    )


SOME = [each.frame for world in WORLDS for each in load(world).observations[:4]] + [
    each.frame for world in WORLDS if (lookup := load(world).lookup) for each in lookup.observations[:4]
]


@given(st.binary(max_size=200))
def test_no_bytes_raise_or_change_their_length(data: bytes) -> None:
    assert len(frames().frame(data)) == len(data)
    frames().packet(data)


@given(st.sampled_from(SOME), st.integers(0, 200), st.binary(min_size=1, max_size=4), st.integers(0, 200))
def test_a_damaged_frame_is_rewritten_as_far_as_it_goes(frame: bytes, at: int, noise: bytes, end: int) -> None:
    frames().frame((frame[:at] + noise + frame[at + len(noise) :])[:end])


def checksums_of(frame: bytes) -> tuple[bool, bool]:
    """Say of an IPv4 frame whether the header's is right, and the payload's, partial ones apart."""
    packet = frame[14:]
    length = (packet[0] & 0xF) * 4
    payload, protocol = packet[length : int.from_bytes(packet[2:4], "big")], packet[9]
    pseudo = packet[12:20] + bytes((0, protocol)) + len(payload).to_bytes(2, "big") if protocol != 1 else b""
    return reduced(total(packet[:length])) == 0xFFFF, reduced(total(pseudo + payload)) == 0xFFFF


@pytest.mark.parametrize("number", range(len(SOME)))
def test_a_checksum_is_as_right_as_it_was(number: int) -> None:
    frame = SOME[number]
    if frame[12:14] != b"\x08\x00":
        return
    assert checksums_of(frames().frame(frame)) == checksums_of(frame)


def test_a_wrong_checksum_stays_wrong_by_as_much() -> None:
    before, after = bytes(range(40)), bytes(range(40, 80))
    right = ~reduced(total(before)) & 0xFFFF
    assert carried_over(right, before, after) == ~reduced(total(after)) & 0xFFFF
    assert carried_over((right + 5) % 0xFFFF, before, after) != ~reduced(total(after)) & 0xFFFF


def test_payload_of_others_is_blanked_and_a_probe_s_stays() -> None:
    udp = bytes.fromhex("0242ac1100030242ac110002080045000034000140004011aaaa0a0000020a0000030800f7ff0020beef")
    secret, probe = udp + b"password=hunter2........", udp + TOKEN + bytes(8)
    assert frames().frame(secret)[42:] == bytes(24)
    assert frames().frame(probe)[42:] == TOKEN + bytes(8)
    assert frames(b"").frame(secret)[42:] == bytes(24)


def test_what_the_kernel_told_of_a_solicitation_is_about_the_other_address() -> None:
    """Twelve bytes of the target, and the group of its node."""
    ours, rewriting = IPv6Address("fd00:1::42"), frames()
    group = IPv6Address("ff02::1:ff00:42")
    rewriting.addresses.address(IPv6Address("fd00:1::1"))
    other = str(rewriting.addresses.address(ours))
    head = bytes.fromhex("6000000000203aff") + IPv6Address("fd00:1::1").packed + group.packed
    told = head + bytes.fromhex("8700000000000000") + ours.packed[:12]
    assert discovery(told, (str(ours),)) == (135, str(ours))
    assert discovery(rewriting.packet(told), (other,)) == (135, other)


def test_a_message_keeps_its_lengths_and_its_pointers() -> None:
    asked = b"\x03web\x04shop\x03com\0\0\1\0\1"
    answer = b"\xc0\x0c\0\1\0\1\0\0\0\5\0\4\x0a\0\0\2"
    text = b"\xc0\x10\0\x10\0\1\0\0\0\5\0\7\6secret"
    message = bytes.fromhex("abcd81800001000200000000") + asked + answer + text
    written = messages.rewrite(message, frames().words, frames().addresses)
    assert (len(written), written[:12]) == (len(message), message[:12])
    assert b"web" not in written
    assert b"shop" not in written
    assert b"xxxxxx" in written
    read = dns.read(written)
    assert read is not None
    assert (read.damage, len(read.answers)) == (None, 2)
    assert read.answers[0].name.endswith(".com")


def test_an_ipv4_name_grows_with_its_address() -> None:
    """The lengths of UDP and IP are told anew."""
    question = b"\x012\x010\x010\x0210\x07in-addr\x04arpa\0\0\x0c\0\1"
    message = bytes.fromhex("abcd01000001000000000000") + question
    udp = bytes.fromhex("d0000035") + (8 + len(message)).to_bytes(2, "big") + bytes(2) + message
    ip = bytes.fromhex("4500") + (20 + len(udp)).to_bytes(2, "big") + bytes.fromhex("00014000401100000a0000020a000003")
    read = headers.read_packet(frames().packet(ip + udp))
    assert read is not None
    assert read.udp is not None
    assert read.ip.total_length == 20 + read.udp.length == 28 + len(read.udp.payload)
    asked = dns.read(read.udp.payload)
    assert asked is not None
    assert asked.asked is not None
    assert asked.asked.name == frames().words.text("2.0.0.10.in-addr.arpa")
