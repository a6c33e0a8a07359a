"""The DNS server that the live tests ask: it does what its table says, and nothing of it stays."""

import socket
import struct
from collections.abc import Iterator

import pytest
from lab import Lab, run
from upstream_answers import HOSTILE, HOSTILE_NAME, NXDOMAIN, SILENT, TYPES, Behaviour, encode_name
from upstream_place import Upstream, upstream_beside

from inspector import netns

pytestmark = pytest.mark.kernel

A = (("A", "192.0.2.7"),)
ADDRESS = bytes([192, 0, 2, 7])
MANY = tuple(("A", f"192.0.2.{number}") for number in range(200))


@pytest.fixture
def server(world: Lab) -> Iterator[Upstream]:
    with upstream_beside(world.fds["s"]) as running:
        yield running


def query(name: str, kind: str = "A", *, identifier: int = 7, edns: bool = False) -> bytes:
    head = struct.pack("!6H", identifier, 0x0100, 1, 0, 0, int(edns))
    extra = b"\0" + struct.pack("!HHIH", TYPES["OPT"], 1232, 0, 0) if edns else b""
    return head + encode_name(name) + struct.pack("!HH", TYPES[kind], 1) + extra


def ask(world: Lab, server: Upstream, *messages: bytes, answers: int = 1) -> list[bytes]:
    """Send datagrams from one socket, and read that many answers."""
    with netns.enter(world.fds["s"], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.settimeout(5)
        sock.connect((server.address, 53))
        for message in messages:
            sock.send(message)
        return [sock.recv(65535) for _ in range(answers)]


def ask_by_tcp(world: Lab, server: Upstream, message: bytes) -> bytes:
    with netns.enter(world.fds["s"], lambda: socket.create_connection((server.address, 53), timeout=5)) as sock:
        sock.sendall(struct.pack("!H", len(message)) + message)
        with sock.makefile("rb") as stream:
            (size,) = struct.unpack("!H", stream.read(2))
            return stream.read(size)


def rcode(message: bytes) -> int:
    return message[3] & 0x0F


def records(message: bytes) -> int:
    return int(struct.unpack_from("!H", message, 6)[0])


def identifier(message: bytes) -> int:
    return int(struct.unpack_from("!H", message)[0])


def test_the_closest_row_answers(world: Lab, server: Upstream) -> None:
    server.serve({"www.example A": Behaviour(records=A), "www.example": Behaviour(), "*": Behaviour(rcode="REFUSED")})
    (known,) = ask(world, server, query("wWw.Example"))
    assert known.endswith(ADDRESS)
    assert b"\3wWw\7Example" in known
    (no_data,) = ask(world, server, query("www.example", "AAAA"))
    assert (rcode(no_data), records(no_data)) == (0, 0)
    (other,) = ask(world, server, query("other.example"))
    assert rcode(other) == 5


def test_what_no_row_names_does_not_exist(world: Lab, server: Upstream) -> None:
    server.serve({"there.example": Behaviour(records=A), "gone.example": NXDOMAIN})
    assert [rcode(ask(world, server, query(name))[0]) for name in ("nowhere.example", "gone.example")] == [3, 3]


def test_what_does_not_fit_comes_by_tcp(world: Lab, server: Upstream) -> None:
    server.serve({"big.example": Behaviour(records=MANY, truncated=True)})
    (short,) = ask(world, server, query("big.example"))
    assert (short[2] & 0x02, records(short)) == (0x02, 0)
    whole = ask_by_tcp(world, server, query("big.example"))
    assert (whole[2] & 0x02, records(whole)) == (0, len(MANY))
    assert [each.transport for each in server.queries()] == ["udp", "tcp"]


def test_a_transport_is_closed_and_opened_again(world: Lab, server: Upstream) -> None:
    server.serve({}, udp="refused", tcp="refused")
    with pytest.raises(ConnectionRefusedError):
        ask(world, server, query("a.example"))
    with pytest.raises(ConnectionRefusedError):
        ask_by_tcp(world, server, query("a.example"))
    server.serve({"a.example": Behaviour(records=A)})
    assert ask(world, server, query("a.example"))[0].endswith(ADDRESS)
    assert ask_by_tcp(world, server, query("a.example")).endswith(ADDRESS)


def test_the_silent_one_is_heard_and_not_answered(world: Lab, server: Upstream) -> None:
    """The server takes one after the other: had it answered the first, that would have come first."""
    server.serve({"dual.example A": Behaviour(records=A), "dual.example AAAA": SILENT})
    both = query("dual.example", "AAAA", identifier=1), query("dual.example", "A", identifier=2)
    assert [identifier(each) for each in ask(world, server, *both)] == [2]
    assert [each.type for each in server.queries()] == ["AAAA", "A"]


def test_a_late_answer_is_overtaken(world: Lab, server: Upstream) -> None:
    server.serve({"dual.example A": Behaviour(records=A), "dual.example AAAA": Behaviour(delay_s=0.05)})
    both = query("dual.example", "AAAA", identifier=1), query("dual.example", "A", identifier=2)
    assert [identifier(each) for each in ask(world, server, *both, answers=2)] == [2, 1]


def test_a_false_answer_comes_first_and_the_right_one_twice(world: Lab, server: Upstream) -> None:
    server.serve({"www.example": Behaviour(records=A, wrong_id_first=True, copies=2)})
    false, *right = ask(world, server, query("www.example"), answers=3)
    assert identifier(false) != 7
    assert ADDRESS not in false
    assert [(identifier(each), each.endswith(ADDRESS)) for each in right] == [(7, True)] * 2


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bytes_are_no_good_answer(world: Lab, server: Upstream, kind: str) -> None:
    server.serve({"www.example": Behaviour(records=A)})
    (good,) = ask(world, server, query("www.example"))
    server.serve({"www.example": Behaviour(records=A, hostile=kind)})
    (bad,) = ask(world, server, query("www.example"))
    assert identifier(bad) == 7
    assert bad != good
    assert len(bad) == {"short": 5, "nonsense": 65507, "cut": len(good) - 2}.get(kind, len(bad))
    assert (encode_name(HOSTILE_NAME) in bad) == (kind == "labels")


def test_each_query_is_noted_as_it_came(world: Lab, server: Upstream) -> None:
    server.serve({})
    message = query("A.example", "AAAA", identifier=513, edns=True)
    ask(world, server, message)
    (noted,) = server.queries()
    assert (noted.name, noted.type, noted.identifier, noted.edns_size) == ("A.example", "AAAA", 513, 1232)
    assert noted.message == message
    assert noted.source in world.ip("s", f"-4 addr show {server.link}")
    server.serve({})
    assert server.queries() == []


def test_what_is_no_query_is_noted_and_not_answered(world: Lab, server: Upstream) -> None:
    server.serve({"a.example": Behaviour(records=A)})
    garbage = b"", b"\0", bytes(11), bytes(12), query("a.example")[:-1], b"\0\7\x81\x80" + query("a.example")[4:]
    (answer,) = ask(world, server, *garbage, query("a.example", identifier=9))
    assert identifier(answer) == 9
    assert [each.name for each in server.queries()] == [None] * len(garbage) + ["a.example"]


def test_nothing_of_it_stays_also_when_the_test_fails(world: Lab) -> None:
    seen = []

    def fail() -> None:
        with upstream_beside(world.fds["s"]) as running:
            seen.append(running)
            assert running.link in world.ip("s", "-br link")
            assert running.namespace in run("ip netns")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen[0].process.returncode == 0
    assert seen[0].link not in world.ip("s", "-br link")
    assert seen[0].namespace not in run("ip netns")
