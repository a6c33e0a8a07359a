"""Time what one packet socket for all interfaces of a host costs traffic that nobody captures.

Such a socket is offered each frame of each interface, and its filter has to refuse those of others. UDP goes from one
container to another, with the socket open and without in turn; what is timed is the sender's CPU, which does all of the
way. Prints medians; judges nothing. Needs root and dockerd.
"""

import socket
import struct
import subprocess
import sys
from pathlib import Path
from statistics import median

from pairs import RUNS

from inspector import netns
from inspector.capture.ring import Ring, Shape
from inspector.capture.syscalls import attach_filter, bind_packet_socket

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from crowd import populate
from private_engine import PrivateEngine, private_engine

POINTS = range(1000, 1020)
"""Interfaces that are captured: none that is there."""
ETH_P_ALL = 0x0003
LOAD, JUMP_EQUAL, RETURN = 0x20, 0x15, 0x06
SKF_AD_IFINDEX = 0xFFFFF000 + 8
"""linux/filter.h, linux/bpf_common.h"""
SENDER = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect((sys.argv[1], 9))
payload, sent, start, cpu = bytes(64), 0, time.monotonic(), time.process_time()
while time.monotonic() < start + 2:
    for _ in range(100):
        try:
            sock.send(payload)
        except OSError:
            pass
    sent += 100
print((time.process_time() - cpu) / sent * 1e6)
"""


def main() -> None:
    """Print the figures."""
    with private_engine() as engine:
        populate(engine, 2, 1)
        pairs = [(sending(engine), with_socket(engine)) for _ in range(RUNS)]
    without, beside = (median(each[which] for each in pairs) for which in (0, 1))
    print(f"CPU us a datagram: {without:.2f} without, {beside:.2f} beside an unbound socket that refuses all")
    print(f"ratio, median of pairs: {median(b / a for a, b in pairs):.2f}")


def sending(engine: PrivateEngine) -> float:
    """Return what a datagram costs from one container to the other."""
    pid = engine.docker("inspect", "-f", "{{.State.Pid}}", "c0")
    address = engine.docker("inspect", "-f", "{{.NetworkSettings.Networks.net0.IPAddress}}", "c1")
    command = ["nsenter", "-t", pid, "-n", sys.executable, "-c", SENDER, address]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def with_socket(engine: PrivateEngine) -> float:
    """Return it with a packet socket open on the engine's host, for all interfaces."""
    with netns.open_of(int((engine.folder / "pid").read_text())) as host:
        sock = netns.enter(host.fd, lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
    with sock:
        attach_filter(sock, only_of(POINTS))
        ring = Ring(sock, Shape(block_size=1 << 18, blocks=64, retire_ms=50))
        bind_packet_socket(sock, 0, ETH_P_ALL)
        try:
            return sending(engine)
        finally:
            ring.close()


def only_of(interfaces: range) -> bytes:
    """Take the frames of these interfaces alone (classic BPF)."""
    code = [(LOAD, 0, 0, SKF_AD_IFINDEX)]
    code += [(JUMP_EQUAL, len(interfaces) - at, 0, each) for at, each in enumerate(interfaces)]
    code += [(RETURN, 0, 0, 0), (RETURN, 0, 0, 1 << 18)]
    return b"".join(struct.pack("=HBBI", *each) for each in code)


if __name__ == "__main__":
    main()
