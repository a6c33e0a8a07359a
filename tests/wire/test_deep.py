"""Deep dissection: shows layers, survives anything."""

from hypothesis import given
from hypothesis import strategies as st

from inspector.wire import deep, scapy_door

scapy_door.prepare()

from scapy.layers.inet import ICMP, IP  # noqa: E402
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6  # noqa: E402
from scapy.layers.l2 import Ether  # noqa: E402


def test_layers_are_shown() -> None:
    """One heading per layer, one line per field."""
    frame = bytes(Ether(src="02:00:00:00:00:01") / IP(src="10.0.0.2", ttl=61) / ICMP(seq=7))
    shown = deep.dissect(frame)
    assert [word for word in ("Ethernet", "IP", "ICMP") if f"###[ {word} ]###" in shown] == ["Ethernet", "IP", "ICMP"]
    assert "ttl       = 61" in shown


def test_version_six_is_known() -> None:
    """The layers of IPv6 are taught before the first frame."""
    shown = deep.dissect(bytes(Ether() / IPv6(src="fd00::2", dst="fd00::3") / ICMPv6EchoRequest()))
    assert "ICMPv6 Echo Request" in shown


@given(st.binary(max_size=300))
def test_no_frame_raises_or_reaches_the_terminal(frame: bytes) -> None:
    """Whatever the frame holds, the answer is printable lines."""
    lines = deep.dissect(frame).split("\n")
    assert all(line.isprintable() for line in lines)
    assert lines[0]


def test_a_hostile_payload_stays_on_its_line() -> None:
    """An escape sequence in a payload is shown, not obeyed."""
    shown = deep.dissect(bytes(Ether() / IP(src="10.0.0.2", dst="10.0.0.3") / ICMP() / b"\x1b[2J\x07"))
    assert "\x1b" not in shown


def test_a_long_frame_is_cut_and_says_so() -> None:
    """64 kB segments are normal on a veth and slow in scapy."""
    assert deep.dissect(bytes(65_000)).endswith("(the first 1600 of 65000 bytes)")


def test_what_scapy_cannot_read_is_given_as_hex() -> None:
    """The frame is never lost."""
    assert deep.dissect(b"x") == "undecoded (error): 78"
