"""A crowd: many containers in many networks on a private engine, and veth pairs beside them that no engine made.

All of it goes with the engine, also when its maker is killed: the containers hang on the engine's keeper, and the pairs
on the namespace of a program that ends with its standard input.
"""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager

from private_engine import IMAGE, PrivateEngine, private_engine

from inspector.discover.engine import connect
from inspector.model.engine_choice import EngineChoice

AT_ONCE, START_S = 4, 60
"""Containers that start at the same time, and how long one may take while the machine does something else."""
MOST_PORTS = 1000
"""A bridge of Linux has 1,023 ports at the most (net/bridge/br_private.h, BR_MAX_PORTS)."""


@contextmanager
def crowded_engine(containers: int, networks: int, pairs: int = 0) -> Iterator[PrivateEngine]:
    """Start an engine with networks `net0`, `net1` and so on, in them containers `c0`, `c1` by turns, and the pairs."""
    with private_engine() as engine, strangers(engine, pairs):
        populate(engine, containers, networks)
        yield engine


def populate(engine: PrivateEngine, containers: int, networks: int, first: int = 0) -> None:
    """Start containers from number `first` on, by the API: a command line for each would take longer than the engine.

    Subnets are given: the engine's own pools hold 31 networks, and fewer where other routes are in their way.
    """
    with closing(connect(EngineChoice(host=engine.url))) as connected:
        api = connected.api
        api.timeout = START_S
        there = {each["Name"] for each in api.networks()}
        for name, number in ((f"net{number}", number) for number in range(networks)):
            if name not in there:
                api.create_network(name, driver="bridge", ipam={"Config": [{"Subnet": f"10.210.{number}.0/24"}]})

        def start(number: int) -> None:
            given = api.create_host_config(network_mode=f"net{number % networks}", dns=["127.0.0.1"])
            made = api.create_container(IMAGE, name=f"c{number}", stop_signal="KILL", host_config=given)
            api.start(made["Id"])

        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(start, range(first, first + containers)))


@contextmanager
def strangers(engine: PrivateEngine, pairs: int) -> Iterator[None]:
    """Make veth pairs from bridges of the engine's host to a namespace that no container is in."""
    enter = ["nsenter", f"--net=/run/netns/{engine.name}"]
    with subprocess.Popen([*enter, "unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as far:
        assert far.stdin is not None
        assert far.stdout is not None
        # What comes back comes from `cat`, and so from beyond.
        far.stdin.write(b"\n")
        far.stdin.flush()
        far.stdout.readline()
        lines = [f"link add strangers{number} up type bridge" for number in range(-(-pairs // MOST_PORTS))]
        for number in range(pairs):
            port = f"link add v{number} up master strangers{number // MOST_PORTS} type veth"
            lines.append(f"{port} peer name s{number} netns {far.pid}")
        subprocess.run([*enter, "ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)
        yield
