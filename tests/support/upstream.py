"""A DNS server for tests, in a process of its own: it says what a table tells it to, and notes what it was asked.

    python upstream.py ADDRESS

It listens on port 53 of ADDRESS, UDP and TCP, and is led by lines of JSON on its standard input; each is answered by
one line on its standard output, and the end of the input ends it.

    {"serve": {"www.example A": {"records": [["A", "192.0.2.7"]]}}, "udp": "open", "tcp": "refused"}
    {"queries": true}

A transport is `open`, `refused` (nothing listens: a port unreachable, or a reset) or `silent` (heard, never answered).
"""

import heapq
import json
import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable
from itertools import count
from typing import Any

from upstream_answers import Behaviour, answers, behaviour_of, read_query

PORT = 53
INPUT = 0
Later = tuple[float, int, Callable[[], None]]


class Server:
    """The sockets, the table, and what was asked since the table came."""

    def __init__(self, address: str) -> None:
        """Listen on both transports."""
        self.address = address
        self.table: dict[str, Behaviour] = {}
        self.modes = {"udp": "refused", "tcp": "refused"}
        self.asked: list[dict[str, Any]] = []
        self.later: list[Later] = []
        self.numbers = count()
        self.selector = selectors.DefaultSelector()
        self.listening: dict[str, socket.socket] = {}
        self.set_modes(udp="open", tcp="open")

    def set_modes(self, *, udp: str, tcp: str) -> None:
        """Open or close the sockets."""
        self.modes = {"udp": udp, "tcp": tcp}
        for transport, mode in self.modes.items():
            if mode == "refused" and transport in self.listening:
                sock = self.listening.pop(transport)
                self.selector.unregister(sock)
                sock.close()
            elif mode != "refused" and transport not in self.listening:
                self.listening[transport] = self.listen(transport)

    def listen(self, transport: str) -> socket.socket:
        """Open one listening socket."""
        kind, work = (socket.SOCK_DGRAM, self.datagrams) if transport == "udp" else (socket.SOCK_STREAM, self.accept)
        sock = socket.socket(socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((self.address, PORT))
        if kind == socket.SOCK_STREAM:
            sock.listen(64)
        sock.settimeout(0)
        self.selector.register(sock, selectors.EVENT_READ, work)
        return sock

    def datagrams(self, sock: socket.socket) -> None:
        """Read what is there, and answer each."""
        while True:
            try:
                message, source = sock.recvfrom(65535)
            except OSError:
                return
            self.answer(message, source, "udp", lambda each, to=source: sock.sendto(each, to))

    def accept(self, sock: socket.socket) -> None:
        """Take a connection."""
        try:
            connection, source = sock.accept()
        except OSError:
            return
        connection.settimeout(5)
        buffer = bytearray()
        self.selector.register(connection, selectors.EVENT_READ, lambda each: self.stream(each, source, buffer))

    def stream(self, connection: socket.socket, source: tuple[str, int], buffer: bytearray) -> None:
        """Read from a connection, and answer each whole message (RFC 1035, 4.2.2)."""
        try:
            piece = connection.recv(65535)
        except OSError:
            piece = b""
        if not piece:
            self.selector.unregister(connection)
            connection.close()
            return
        buffer += piece
        while len(buffer) >= 2 and len(buffer) >= (size := struct.unpack_from("!H", buffer)[0]) + 2:
            message = bytes(buffer[2 : 2 + size])
            del buffer[: 2 + size]
            self.answer(message, source, "tcp", lambda each: connection.sendall(struct.pack("!H", len(each)) + each))

    def answer(self, message: bytes, source: tuple[str, int], transport: str, send: Callable[[bytes], Any]) -> None:
        """Note a query, and answer it, now or later."""
        query = read_query(message)
        self.asked.append(
            {
                "name": query.name if query else None,
                "type": query.type if query else None,
                "transport": transport,
                "source": source[0],
                "port": source[1],
                "identifier": query.identifier if query else None,
                "edns_size": query.edns_size if query else None,
                "at_ns": time.time_ns(),
                "message": message.hex(),
            }
        )
        if query is None or self.modes[transport] != "open":
            return
        how = behaviour_of(self.table, query)
        messages = answers(query, how, tcp=transport == "tcp")
        due = time.monotonic() + how.delay_s
        heapq.heappush(self.later, (due, next(self.numbers), lambda: self.send(messages, send)))
        self.work_off()

    def send(self, messages: list[bytes], send: Callable[[bytes], Any]) -> None:
        """Send; a client that has gone away is no trouble of ours."""
        for each in messages:
            try:
                send(each)
            except OSError:
                return

    def work_off(self) -> None:
        """Send what is due."""
        while self.later and self.later[0][0] <= time.monotonic():
            heapq.heappop(self.later)[2]()

    def patience_s(self) -> float | None:
        """Return how long nothing is due; None where nothing waits to be sent."""
        return max(0, self.later[0][0] - time.monotonic()) if self.later else None

    def turn(self) -> bool:
        """Handle what is ready on the sockets; say whether anything was."""
        ready = [key for key, _ in self.selector.select(0) if key.data]
        for key in ready:
            key.data(key.fileobj)
        self.work_off()
        return bool(ready)

    def obey(self, line: str) -> dict[str, Any]:
        """Carry out one line of the standard input, after everything that came before it."""
        while self.turn():
            pass
        order = json.loads(line)
        if "serve" in order:
            self.table = {name: read_behaviour(how) for name, how in order["serve"].items()}
            self.set_modes(udp=order.get("udp", "open"), tcp=order.get("tcp", "open"))
            self.asked, self.later = [], []
            return {"serving": len(self.table)}
        return {"queries": self.asked}


def read_behaviour(how: dict[str, Any]) -> Behaviour:
    """Read one row of the table."""
    return Behaviour(**{**how, "records": tuple((word, data) for word, data in how.get("records", ()))})


def main() -> None:
    """Serve until the standard input ends."""
    server = Server(sys.argv[1])
    server.selector.register(INPUT, selectors.EVENT_READ)
    say({"ready": server.address})
    pending = b""
    while True:
        ready = {key.fd for key, _ in server.selector.select(server.patience_s())}
        if INPUT not in ready:
            server.turn()
            continue
        piece = os.read(INPUT, 65536)
        if not piece:
            return
        *lines, pending = (pending + piece).split(b"\n")
        for line in lines:
            say(server.obey(line.decode()))


def say(value: dict[str, Any]) -> None:
    """Write one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
