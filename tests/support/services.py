"""Services of the tests: a socket of ours that listens in a container's stack."""

import select
import socket
import threading
from collections.abc import Iterator
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

    def opened() -> socket.socket:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        if not udp:
            sock.listen()
        return sock

    with netns.open_of(int(pid)) as namespace:
        sock = netns.enter(namespace.fd, opened)
    over, end = socket.socketpair()
    thread = threading.Thread(target=echo, args=(sock, over))
    if udp:
        thread.start()
    try:
        yield
    finally:
        end.send(b"x")
        if udp:
            thread.join()
        for each in (sock, over, end):
            each.close()


def echo(sock: socket.socket, over: socket.socket) -> None:
    while over not in select.select([sock, over], [], [])[0]:
        data, sender = sock.recvfrom(2000)
        sock.sendto(data, sender)
