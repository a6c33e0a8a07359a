"""What is no fault of one run: many at once, and a flood across the bridge that is traced."""

import ctypes
import json
import os
import socket
import subprocess
import sys
import time

from commands import PROGRAM
from fault_matrix import Outcome
from fault_world import Scene
from nothing_left import left_behind
from private_engine import wait_until

from inspector.archive import load

PACKETS = 512
"""In one call of sendmmsg(2)."""


def many_at_once(scene: Scene, count: int) -> Outcome:
    """Run so many traces together, each into a folder of its own."""
    scene.folder.mkdir()
    typed = [*PROGRAM, "--host", scene.engine.url, "trace", "left", "right", "-W", "30", "--format", "json"]
    runs = [
        subprocess.Popen([*typed, "-w", str(scene.folder / str(number))], stdout=-1, stderr=-1, text=True)
        for number in range(count)
    ]
    done = [(*run.communicate(timeout=600), run.returncode) for run in runs]
    wrong = [err.strip() for _, err, status in done if status]
    wrong += ["probes lost" for out, _, status in done if not status and json.loads(out)["statistics"]["received"] < 3]
    kept = [load(scene.folder / str(number)) for number in range(count) if (scene.folder / str(number)).exists()]
    foreign = sum(
        other.token in seen.frame for own in kept for other in kept if other is not own for seen in own.observations
    )
    wrong += [f"{foreign} frames of others"] if foreign else []
    unseen = sum(
        spot["point"] != "" for out, _, status in done if not status for spot in json.loads(out)["blind_spots"]
    )
    said = f"{sum(status == 0 for *_, status in done)} of {count} delivered, {unseen} blind spots"
    return _judged(scene, max(status for *_, status in done), said, wrong)


def flooded(scene: Scene) -> Outcome:
    """Trace across a bridge that another two processes flood as fast as they can."""
    scene.folder.mkdir()
    address = scene.address("right")
    floods = [
        subprocess.Popen(["nsenter", "-t", scene.pid("left"), "-n", sys.executable, __file__, address], stdout=-1)
        for _ in range(2)
    ]
    for each in floods:
        assert each.stdout
        each.stdout.readline()
    before, started = _sent(scene), time.monotonic()
    typed = [*PROGRAM, "--host", scene.engine.url, "trace", "left", "right", "-c", "20", "--format", "json"]
    done = subprocess.run([*typed, "-W", "5"], capture_output=True, text=True, check=False)
    rate = (_sent(scene) - before) / (time.monotonic() - started)
    for each in floods:
        each.kill()
        each.communicate()
    wrong = [done.stderr.strip()] if done.returncode not in (0, 3) else []
    said = f"{rate:,.0f} frames/s crossed the bridge"
    if done.stdout:
        report = json.loads(done.stdout)
        counted, seen = report["statistics"], [hop["seen"] for path in report["paths"] for hop in path["hops"]]
        said += f"; {counted['received']} of {counted['sent']} answered, {sum(seen)} of {len(seen)} sightings"
        lost = [each for each in report["blind_spots"] if "lost" in each["why"]]
        wrong += ["a sighting is missing, and nothing is said to be lost"] if not all(seen) and not lost else []
    return _judged(scene, done.returncode, said, wrong)


def _judged(scene: Scene, status: int, said: str, wrong: list[str]) -> Outcome:
    subprocess.run(["rm", "-rf", str(scene.folder)], check=True)
    try:
        wait_until(lambda: not left_behind(), "")
        left = "nothing"
    except AssertionError:
        left = "; ".join(f"{each.kind}: {each.what}" for each in left_behind())
        wrong = [*wrong, left]
    return Outcome(status, said, left, tuple(wrong))


def _sent(scene: Scene) -> int:
    words = ["nsenter", "-t", scene.pid("left"), "-n", "ip", "-j", "-s", "link", "show", "eth0"]
    (link,) = json.loads(subprocess.check_output(words))
    return int(link["stats64"]["tx"]["packets"])


class _Vector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_char_p), ("length", ctypes.c_size_t))


class _Message(ctypes.Structure):
    """struct mmsghdr of recvmmsg(2), on a machine of 64 bits."""

    _fields_ = (
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("vectors", ctypes.POINTER(_Vector)),
        ("count", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
        ("taken", ctypes.c_uint32),
    )


def flood(address: str) -> None:
    """Send datagrams of 64 bytes until it is killed."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((address, 9))
    vector = _Vector(b"x" * 64, 64)
    messages = (_Message * PACKETS)(*(_Message(vectors=ctypes.pointer(vector), count=1) for _ in range(PACKETS)))
    library = ctypes.CDLL(None)
    sys.stdout.write("flooding\n")
    sys.stdout.flush()
    parent = os.getppid()
    while os.getppid() == parent:
        library.sendmmsg(sock.fileno(), messages, PACKETS, 0)


if __name__ == "__main__":
    flood(sys.argv[1])
