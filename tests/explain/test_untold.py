"""What a capture file cannot say stands in its report where it applies, and only there."""

import struct

import pytest
from scapy.layers.inet import UDP

from captures import SECTION, ip, pcap, pcapng_file, told, told_bytes
from inspector.wire import pcapng

FRAME = bytes(ip("10.0.0.2", "10.0.0.3") / UDP(sport=9, dport=9) / b"something")
ALWAYS = ("no topology", "no rules and no routes")
INTERFACE = pcapng.interface_block(pcapng.Interface("a"))


def said(whole: bytes) -> list[str]:
    return [each for each in told_bytes(whole).untold if not each.startswith(ALWAYS)]


def packet(at_ns: int, wire: int = len(FRAME), interface: int = 0) -> bytes:
    return pcapng.packet_block(pcapng.Packet(interface, at_ns, FRAME, wire))


COUNTED = [
    pcapng.statistics_block(pcapng.Statistics(number, 9, dropped, 0, 9)) for number, dropped in ((0, 0), (1, 0), (0, 3))
]


def test_what_is_whole_leaves_only_what_no_file_can_say() -> None:
    whole = SECTION + INTERFACE * 2 + packet(1) + packet(2, interface=1) + COUNTED[0] + COUNTED[1]
    assert said(whole) == []
    assert [each.split(":")[0] for each in told_bytes(whole).untold] == list(ALWAYS)


@pytest.mark.parametrize(
    ("whole", "words"),
    [
        (SECTION + INTERFACE + packet(1) + COUNTED[0], ["one interface only"]),
        (pcapng_file("ab", [(0, 1, FRAME), (1, 2, FRAME)]), ["there are no counters for a, b"]),
        (SECTION + INTERFACE + packet(1) + COUNTED[2], ["one interface", "3 frames at a were that the capture lost"]),
        (SECTION + INTERFACE + packet(1, 900) + COUNTED[0], ["one interface", "behind byte 51 of 1 frames at a"]),
        (
            SECTION + pcapng.interface_block(pcapng.Interface("a", filter="icmp")) + packet(1) + COUNTED[0],
            ["one interface", "what else came past a: a filter"],
        ),
        (
            SECTION + INTERFACE * 2 + packet(9_000_000_000) + packet(1, interface=1) + COUNTED[0] + COUNTED[1],
            ["1 frames stand more than a second late"],
        ),
        (pcap([(1, FRAME)], link=105), ["one interface", "counters", "what 1 frames at interface 0 were about"]),
        (
            pcap([(1, struct.pack(">HHHHQ", 0, 1, 6, 0, 0x0800)[:14] + b"\x08\x00" + FRAME[14:])], link=113),
            ["one interface", "counters", "which interface of `any`", "there are no MACs at interface 0"],
        ),
    ],
)
def test_what_applies_is_said(whole: bytes, words: list[str]) -> None:
    sentences = said(whole)
    assert len(sentences) == len(words)
    assert all(any(word in sentence for sentence in sentences) for word in words)


def test_microseconds_matter_where_there_are_two_interfaces() -> None:
    coarse = struct.pack("<IIHHII", 1, 20, 1, 0, 0, 20)
    whole = SECTION + coarse * 2 + packet(1) + packet(1, interface=1) + COUNTED[0] + COUNTED[1]
    assert any("within 1 us: interface 0, interface 1 stamp no finer" in each for each in said(whole))


def test_frames_without_a_time_and_tunnels_are_told() -> None:
    simple = struct.pack("<III", 3, 16 + len(FRAME) + -len(FRAME) % 4, len(FRAME)) + FRAME + bytes(-len(FRAME) % 4)
    whole = SECTION + INTERFACE + simple + simple[4:8] + COUNTED[0]
    assert any("when 1 frames came" in each for each in said(whole))
    vxlan = ip("10.0.0.2", "10.0.0.3") / UDP(sport=40000, dport=4789) / bytes(50)
    assert any("inside tunnels" in each for each in told(("a", 1, vxlan)).untold)
