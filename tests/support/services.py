"""Services of the tests: a socket of ours that listens in a container's stack."""

import select
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from commands import docker

from inspector import netns


@contextmanager
def serving(name: str, port: int, address: str = "0.0.0.0", *, udp: bool = False) -> Iterator[None]:
    """Have a socket of ours listen in a container's stack; datagrams are answered with themselves."""
    with serving_in(docker("inspect", "-f", "{{.State.Pid}}", name), port, address, udp=udp):
        yield


@contextmanager
def serving_in(pid: str, port: int, address: str = "0.0.0.0", *, udp: bool = False) -> Iterator[None]:
    """Have it listen in the stack of a process."""
    sock = _opened(pid, port, address, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
    with sock if not udp else _answering(sock, echo):
        yield


@contextmanager
def resetting_in(pid: str, port: int) -> Iterator[None]:
    """Have a service accept connections, and reset each at once."""
    with _answering(_opened(pid, port, "0.0.0.0", socket.SOCK_STREAM), reset):
        yield


def _opened(pid: str, port: int, address: str, kind: socket.SocketKind) -> socket.socket:
    """Open the socket in the stack of a process."""

    def opened() -> socket.socket:
        sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if kind is socket.SOCK_STREAM:
            sock.listen()
        return sock

    with netns.open_of(int(pid)) as namespace:
        return netns.enter(namespace.fd, opened)


@contextmanager
def _answering(sock: socket.socket, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """Answer whatever comes, in a thread, until the block ends."""
    over, end = socket.socketpair()

    def run() -> None:
        while over not in select.select([sock, over], [], [])[0]:
            answer(sock)

    with sock, over, end:
        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            end.send(b"x")
            thread.join()


def echo(sock: socket.socket) -> None:
    data, sender = sock.recvfrom(2000)
    sock.sendto(data, sender)


def reset(sock: socket.socket) -> None:
    """Close by RST: what SO_LINGER with no time does (socket(7))."""
    taken, _ = sock.accept()
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    taken.close()
