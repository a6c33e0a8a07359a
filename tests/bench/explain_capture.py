"""Time `dnetsniff explain` of a million frames from five points against `tshark -q -z conv,ip` of the same file.

The file is made here, the same each time: connections that send data both ways, datagrams, DNS, echoes; each packet as
a bridge hands it on, at five interfaces. Prints medians, ratios, and the memory of each; it judges nothing.
"""

import os
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pairs import compare, in_row, program, run
from rows import Row, table

from inspector.wire import pcapng

PACKETS = int(os.environ.get("BENCH_PACKETS", "200000"))
POINTS = ("web/eth0", "host/veth1", "host/br0", "host/veth2", "db/eth0")
MOST_PAIRS = 3
"""Each takes 16 seconds."""
CONNECTIONS = 400
SEED = 5
START_NS = 1_700_000_000_000_000_000
HOP_NS = 2_000
MACS = b"\x02\x42\x0a\x00\x00\x03\x02\x42\x0a\x00\x00\x02\x08\x00"
SIZES = (0, 0, 64, 200, 1_000, 1_448)


def main() -> None:
    """Print the table."""
    sys.stdout.write(table(rows()))


def rows() -> Iterator[Row]:
    """Yield the lines of the table."""
    with tempfile.TemporaryDirectory() as folder:
        whole, tenth = Path(folder) / "whole.pcapng", Path(folder) / "tenth.pcapng"
        write(whole, PACKETS)
        write(tenth, PACKETS // 10)
        frames = f"{PACKETS * len(POINTS):,} frames of {len(POINTS)} points"
        what, beside = f"`explain FILE`, {frames}", "`tshark -r FILE -q -z conv,ip`"
        ours, theirs = compare(
            what, lambda: run(explaining(whole)), beside, lambda: run(conversing(whole)), most=MOST_PAIRS
        )
        yield in_row(what, ours, beside, theirs, 1.0)
        few, many = memory(explaining(tenth)), memory(explaining(whole))
        other = memory(conversing(whole))
        what = "most memory of it: a tenth of the frames, all of them"
        yield Row(what, f"{few:.0f} MB, {many:.0f} MB", f"{beside}, all: {other:.0f} MB", (many / other,))


def explaining(file: Path) -> list[str]:
    """Return our command."""
    return [program(), "explain", str(file)]


def conversing(file: Path) -> list[str]:
    """Return the one it is compared with."""
    return ["tshark", "-r", str(file), "-q", "-z", "conv,ip"]


def memory(command: list[str]) -> float:
    """Return the most that a command had in memory, in megabytes."""
    timed = [sys.executable, "-c", PEAK, *command]
    return int(subprocess.run(timed, check=True, capture_output=True, text=True).stdout) / 1_024


PEAK = (
    "import resource, subprocess, sys\n"
    "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)


def write(file: Path, packets: int) -> None:
    """Write the capture."""
    interfaces = b"".join(pcapng.interface_block(pcapng.Interface(name)) for name in POINTS)
    with file.open("wb") as stream:
        stream.write(pcapng.section_block(pcapng.Section(application="bench")) + interfaces)
        at_ns = START_NS
        for frame in made(packets):
            padding = bytes(-len(frame) % 4)
            length = 32 + len(frame) + len(padding)
            tail = frame + padding + struct.pack("<I", length)
            for number in range(len(POINTS)):
                at_ns += HOP_NS
                halves = (at_ns >> 32, at_ns & 0xFFFF_FFFF)
                head = struct.pack("<IIIIIII", 6, length, number, *halves, len(frame), len(frame))
                stream.write(head + tail)


def made(packets: int) -> Iterator[bytes]:
    """Yield the packets."""
    dice = random.Random(SEED)
    sequences = dict.fromkeys(range(CONNECTIONS), (1, 1))
    for number in range(packets):
        which = dice.randrange(CONNECTIONS)
        ends = struct.pack(">4B", 10, 0, 0, 2 + which % 20), struct.pack(">4B", 10, 0, 1, 2 + which % 7)
        back = dice.random() < 0.5
        source, destination = reversed(ends) if back else ends
        kind = dice.random()
        if kind < 0.85:
            size, own = dice.choice(SIZES), sequences[which]
            ports = (80, 20_000 + which) if back else (20_000 + which, 80)
            header = struct.pack(">HHIIBBHHH", *ports, own[back], own[not back], 0x80, 0x18, 501, 0, 0)
            segment = header + b"\x01\x01\x08\x0a" + struct.pack(">II", number, number) + bytes(size)
            sequences[which] = (own[0], own[1] + size) if back else (own[0] + size, own[1])
            yield packet(6, source, destination, number, segment)
        elif kind < 0.97:
            payload = struct.pack(">I", number) * 25
            header = struct.pack(">HHHH", 9_000 + which, 8_125, 8 + len(payload), 0)
            yield packet(17, source, destination, number, header + payload)
        elif kind < 0.99:
            question = b"\x03web\x04test\x00\x00\x01\x00\x01"
            message = struct.pack(">6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + question
            yield packet(17, *ends, number, struct.pack(">HHHH", 9_000, 53, 8 + len(message), 0) + message)
        else:
            yield packet(1, *ends, number, struct.pack(">BBHHH", 8, 0, 0, which, number & 0xFFFF) + bytes(56))


def packet(protocol: int, source: bytes, destination: bytes, number: int, inside: bytes) -> bytes:
    """Put an IP packet into a frame."""
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(inside), number & 0xFFFF, 0x4000, 64, protocol, 0)
    return MACS + head + source + destination + inside


if __name__ == "__main__":
    main()
