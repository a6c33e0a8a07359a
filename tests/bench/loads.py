"""Traffic between two network stacks, sent and received by one process on one CPU, which times every packet.

Run as a program: `loads.py CPU SOURCE_PID DESTINATION_PID SOURCE DESTINATION`; for each line `KIND SECONDS` on standard
input (`echo`, `udp`, `tcp`) one line: how many, and the mean of their nanoseconds. A packet between two veth pairs is
carried to its end by the CPU that sent it, so what the kernel does for others on the way is in that time, and what
other programs do on other CPUs is not. Times of more than twenty medians are left out: something else had the CPU.
"""

import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from statistics import median

from inspector import netns

KINDS = ("echo", "udp", "tcp")
SIZE = 64
SEGMENT = 65_536
PORT = 9_009
WARM = 20
PATIENCE_S = 5
_ICMP_FILTER, _SOL_RAW = 1, 255
"""linux/icmp.h: types whose bit is set are kept back."""
_ALL_BUT_REPLIES = 0xFFFFFFFE
Step = Callable[[], object]


def main() -> None:
    """Serve until standard input ends."""
    cpu, *pids = (int(each) for each in sys.argv[1:4])
    source, destination = sys.argv[4:6]
    os.sched_setaffinity(0, {cpu})
    near, far = (os.open(f"/proc/{pid}/ns/net", os.O_RDONLY) for pid in pids)
    steps = {
        "echo": echoes(near, destination),
        "udp": datagrams(near, far, source, destination),
        "tcp": segments(near, far, destination),
    }
    for line in sys.stdin:
        kind, seconds = line.split()
        print(*timed(steps[kind], float(seconds)), flush=True)


def timed(step: Step, seconds: float) -> tuple[int, float]:
    """Return how many there were, and the mean of their times."""
    for _ in range(WARM):
        step()
    taken, now = [], time.perf_counter_ns
    start = before = now()
    end = start + int(seconds * 1e9)
    while before < end or not taken:
        step()
        after = now()
        taken.append(after - before)
        before = after
    longest = 20 * median(taken)
    kept = [each for each in taken if each <= longest]
    return len(taken), sum(kept) / len(kept)


def echoes(near: int, destination: str) -> Step:
    """Return what sends an ICMP echo request and waits for the reply (RFC 792)."""
    head = struct.pack(">BBHHH", 8, 0, 0, 0x7777, 1) + bytes(SIZE)
    total = sum(struct.unpack(f">{len(head) // 2}H", head))
    checksum = ~(total + (total >> 16)) & 0xFFFF
    probe = head[:2] + struct.pack(">H", checksum) + head[4:]
    sock = netns.enter(near, lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP))
    sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", _ALL_BUT_REPLIES))
    sock.connect((destination, 0))
    return _there_and_back(sock, probe, sock)


def datagrams(near: int, far: int, source: str, destination: str) -> Step:
    """Return what sends a datagram and takes it in at the other end."""
    sender, receiver = (
        netns.enter(each, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for each in (near, far)
    )
    sender.bind((source, 0))
    receiver.bind((destination, PORT))
    sender.connect((destination, PORT))
    return _there_and_back(sender, bytes(SIZE), receiver)


def _there_and_back(sender: socket.socket, data: bytes, receiver: socket.socket) -> Step:
    receiver.settimeout(PATIENCE_S)
    send, receive, room = sender.send, receiver.recv_into, bytearray(2_048)

    def step() -> None:
        send(data)
        receive(room)

    return step


def segments(near: int, far: int, destination: str) -> Step:
    """Return what sends 64 KiB over a TCP connection and takes them in at the other end."""
    server = netns.enter(far, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    server.bind((destination, PORT))
    server.listen()
    sender = netns.enter(near, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    sender.connect((destination, PORT))
    receiver, _ = server.accept()
    for each in (sender, receiver):
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        each.settimeout(PATIENCE_S)
    data, room = bytes(SEGMENT), bytearray(SEGMENT)

    def step() -> None:
        left = SEGMENT
        sender.sendall(data)
        while left:
            left -= receiver.recv_into(room)

    return step


if __name__ == "__main__":
    main()
