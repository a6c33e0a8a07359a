"""A swarm of two private engines with a cable between them, and an overlay network with containers on both."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec import Struct
from private_engine import IMAGE, PrivateEngine, checked, private_engine, wait_until

UPLINK = "up0"
NETWORK = "over"
HERE, THERE = "198.18.7.1", "198.18.7.2"
POOL = "198.19.0.0/16"
"""Of RFC 2544's range for benchmarks: nobody's."""


class Swarm(Struct, frozen=True):
    """A manager with n1 and n2 on it, and a worker with m1."""

    manager: PrivateEngine
    worker: PrivateEngine

    def address(self, name: str) -> str:
        """Return a container's address on the overlay network."""
        engine = self.worker if name.startswith("m") else self.manager
        return engine.docker("inspect", "-f", f"{{{{.NetworkSettings.Networks.{NETWORK}.IPAddress}}}}", name)


@contextmanager
def swarm() -> Iterator[Swarm]:
    """Build it; everything is gone afterwards with both engines and their network namespaces."""
    with private_engine() as manager, private_engine() as worker:
        cable = f"ip link add {UPLINK} netns {manager.name} type veth peer name {UPLINK} netns {worker.name}"
        checked(*cable.split())
        for engine, address in ((manager, HERE), (worker, THERE)):
            engine.ip(f"addr add {address}/24 dev {UPLINK}")
            engine.ip(f"link set {UPLINK} up")
        pool = ("--default-addr-pool", POOL)
        manager.docker("swarm", "init", "--advertise-addr", HERE, "--listen-addr", HERE, *pool)
        token = manager.docker("swarm", "join-token", "-q", "worker")
        mine = ("--advertise-addr", THERE, "--listen-addr", THERE)
        worker.docker("swarm", "join", *mine, "--token", token, f"{HERE}:2377")
        wait_until(lambda: _ready(manager), "the worker does not become ready")
        manager.docker("network", "create", "-d", "overlay", "--attachable", NETWORK)
        made = Swarm(manager, worker)
        for engine, name in ((manager, "n1"), (manager, "n2"), (worker, "m1")):
            start = ("--dns", "127.0.0.1", "--network", NETWORK, "--name", name, "--stop-signal", "KILL", IMAGE)
            engine.docker("run", "-d", *start)
        for engine, name in ((manager, "m1"), (worker, "n1"), (worker, "n2")):
            away = made.address(name)
            wait_until(lambda engine=engine, away=away: _is_told_of(engine, away), "the nodes do not tell each other")  # type: ignore[misc]
        yield made


def _ready(manager: PrivateEngine) -> bool:
    return manager.docker("node", "ls", "--format", "{{.Status}}").split() == ["Ready", "Ready"]


def _is_told_of(engine: PrivateEngine, address: str) -> bool:
    """Whether the engine has told its tunnel where this address is."""
    for path in (engine.folder / "exec" / "netns").glob("1-*"):
        pid = (engine.folder / "pid").read_text()
        inside = ("nsenter", f"--net=/proc/{pid}/root{path}", "--")
        known = json.loads(checked(*inside, "ip", "-j", "neigh", "show", "nud", "permanent"))
        macs = {each["lladdr"] for each in known if each["dst"] == address}
        told = json.loads(checked(*inside, "bridge", "-j", "fdb", "show"))
        if any(each["mac"] in macs and "dst" in each for each in told):
            return True
    return False
