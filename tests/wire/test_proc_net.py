"""The kernel's socket tables, as text."""

import sys

import pytest

from inspector.wire.proc_net import TCP_CLOSE, TCP_LISTEN, OpenPort, read_open_ports

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TAIL = " 00000000:00000000 00:00000000 00000000     0        0 1 1 0000000000000000 100 0 0 10 0\n"
ANY, LOCAL = "00000000", "0100007F"
LOCAL6 = "0" * 24 + "01000000"
MAPPED = "0" * 16 + "FFFF0000" + LOCAL
LITTLE = pytest.mark.skipif(sys.byteorder != "little", reason="the lines below are of such a machine")


def line(local: str, state: str = "0A") -> str:
    return f"   0: {local} {'0' * 8}:0000 {state}" + TAIL


@LITTLE
def test_what_listens() -> None:
    table = HEAD + line(f"{ANY}:1F90") + line(f"{LOCAL}:0016") + line(f"{LOCAL6}:0050") + line(f"{MAPPED}:0051")
    assert list(read_open_ports(table, TCP_LISTEN)) == [
        OpenPort("0.0.0.0", 8080),
        OpenPort("127.0.0.1", 22),
        OpenPort("::1", 80),
        OpenPort("127.0.0.1", 81),
    ]


def test_other_states_are_passed_over() -> None:
    table = HEAD + line(f"{ANY}:1F90", "01") + line(f"{ANY}:1F91", "07")
    assert [each.port for each in read_open_ports(table, TCP_LISTEN)] == []
    assert [each.port for each in read_open_ports(table, TCP_CLOSE)] == [8081]


@pytest.mark.parametrize(
    "odd", ["", "x", "   0: 00:16 0:0 0A\n", "   0: ZZZZZZZZ:16 0:0 0A\n", "   0: 00000000 0:0 0A\n", "a b c QQ\n"]
)
def test_odd_lines_are_passed_over(odd: str) -> None:
    assert list(read_open_ports(HEAD + odd, TCP_LISTEN)) == []
