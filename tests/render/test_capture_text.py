"""A capture report on a screen: the answer first and last, 80 columns, no character that a terminal obeys."""

import json
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, TCP, UDP

from captures import MS, ip, pcap, pcapng_file, told, told_bytes
from inspector.model.capture import CaptureReport
from inspector.render.capture_json import SCHEMA, render_capture_json
from inspector.render.capture_text import render_capture, render_capture_answer
from inspector.wire import pcapng

WORLDS = sorted((Path(__file__).parents[1] / "worlds").rglob("frames.pcapng"))
SWITCHED = next(each for each in WORLDS if each.parent.name == "switched")
GOLDEN = Path(__file__).parents[1] / "golden" / "capture-switched.txt"


def world(path: Path) -> CaptureReport:
    return told_bytes(path.read_bytes())


def test_the_screen_of_a_recording_of_ours_is_known() -> None:
    """`python tests/render/test_capture_text.py` writes it anew."""
    assert render_capture(world(SWITCHED)) == GOLDEN.read_text()


@pytest.mark.parametrize("path", WORLDS, ids=lambda each: each.parent.name)
@pytest.mark.parametrize("width", [80, 100])
def test_lines_hold_and_the_answer_stands_first_and_last(path: Path, width: int) -> None:
    report = world(path)
    text = render_capture(report, width=width, verbose=True)
    assert max(map(len, text.splitlines())) <= width
    answer = render_capture_answer(report, width=width)
    assert text.count(answer) == 2
    assert text.endswith(answer)


def test_colour_repeats_what_words_say() -> None:
    report = world(SWITCHED)
    coloured = render_capture(report, coloured=True)
    for code in ("1", "2", "31", "32", "33"):
        coloured = coloured.replace(f"\x1b[{code}m", "")
    assert coloured.replace("\x1b[0m", "") == render_capture(report)


def test_a_part_shows_its_first_lines_and_troubles_before_the_rest() -> None:
    asked = [("a", each, ip("10.0.0.2", "10.0.0.3", id=each + 1) / ICMP(type=8, id=each)) for each in range(15)]
    answer = ("a", 99, ip("10.0.0.3", "10.0.0.2") / ICMP(type=0, id=0))
    report = told(*asked, answer)
    text = render_capture(report)
    assert "ICMP echo   the first 10 of 15 (-v: all)" in text
    assert "1 of 1 answered" not in text
    assert "1 of 1 answered in 99 ns, at a" in render_capture(report, verbose=True)
    assert "TROUBLE  14 of 15 echo requests unanswered\nfine     1 echo request answered\n" in text


def test_names_of_the_file_stand_beside_addresses_and_obey_nobody() -> None:
    frame = bytes(ip("10.0.0.2", "10.0.0.3") / UDP(sport=9, dport=9))
    interface = pcapng.interface_block(pcapng.Interface("eth\x1b[2J0"))
    names = pcapng.names_block({"10.0.0.2": ("web\x1b]0;x\x07",)})
    blocks = [pcapng.section_block(pcapng.Section(application="evil\r\n")), names, interface]
    text = render_capture(told_bytes(b"".join([*blocks, pcapng.packet_block(pcapng.Packet(0, 1, frame, 60))])))
    assert text.replace("\n", "").isprintable()
    assert r"10.0.0.2:9 (web\x1b]0;x\x07) > 10.0.0.3:9" in text


def test_a_file_without_frames_and_one_of_no_calendar() -> None:
    assert "NOTHING ASKED" in render_capture(told_bytes(pcap([])))
    far = told_bytes(pcapng_file(["a"], [(0, (1 << 64) - 1, b"frame")]))
    assert "from 2554-07-21 23:34:33.709 UTC for 0" in render_capture(far)


def test_json_holds_the_whole_report() -> None:
    syn = ip("10.0.0.2", "10.0.0.3") / TCP(sport=4000, dport=80, flags="S")
    report = told(("a", 0, syn), ("b", MS, syn))
    document = json.loads(render_capture_json(report))
    assert document["schema"] == SCHEMA == "dnetsniff.capture/1"
    assert document["connections"][0]["opening"] == "unanswered"
    assert document["ways"][0]["sightings"][1] == {
        "interface": "b",
        "heading": None,
        "ttl": 64,
        "since": {"min": MS, "avg": MS, "max": MS},
        "hand": "switched",
        "source": None,
        "destination": None,
    }
    assert set(document) == {"schema", *report.__struct_fields__}


if __name__ == "__main__":
    GOLDEN.write_text(render_capture(world(SWITCHED)))
