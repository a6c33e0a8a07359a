"""A place for the tests' DNS server: a namespace of its own, one veth pair away from the engine's host."""

import json
import secrets
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from ipaddress import IPv4Network, ip_address
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict
from session_tag import new_tag
from upstream_answers import Behaviour

PREFIX = IPv4Network("198.51.100.0/24")
"""TEST-NET-2 (RFC 5737): nobody's address, so nothing else is hidden by it."""


class Arrived(Struct, frozen=True):
    """One query that reached the server."""

    name: str | None
    """Case as it came; None where the message was no query."""
    type: str | None
    transport: str
    source: str
    port: int
    identifier: int | None
    edns_size: int | None
    at_ns: int
    message: bytes


class Upstream(Struct, frozen=True):
    """The running server."""

    address: str
    link: str
    """The interface of the engine's host that leads to it."""
    namespace: str
    """For `ip netns exec` and `nsenter --net=/run/netns/...`."""
    process: "subprocess.Popen[str]"

    def serve(self, names: Mapping[str, Behaviour], *, udp: str = "open", tcp: str = "open") -> None:
        """Put another table in place of the last one, and forget what was asked so far.

        Keys are `name TYPE`, `name` or `*`, without a trailing dot; what no row names does not exist (NXDOMAIN).
        A transport is `open`, `refused` or `silent`.
        """
        self._order({"serve": {name: asdict(how) for name, how in names.items()}, "udp": udp, "tcp": tcp})

    def queries(self) -> list[Arrived]:
        """List what arrived since the table came, what still lies in the sockets included."""
        rows = self._order({"queries": True})["queries"]
        return [Arrived(**{**each, "message": bytes.fromhex(each["message"])}) for each in rows]

    def _order(self, order: dict[str, Any]) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the server has ended with status {self.process.wait()}"
        return json.loads(line)


@contextmanager
def upstream_beside(host_fd: int) -> Iterator[Upstream]:
    """Run a server beside the namespace `host_fd` is open on; take everything down afterwards."""
    tag = new_tag()
    namespace, link = f"dn-upstream-{tag}", f"dnup{tag}"
    ip("netns", "add", namespace)
    try:
        address = _connect(host_fd, namespace, link)
        program = [sys.executable, str(Path(__file__).with_name("upstream.py")), address]
        with subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{namespace}", *program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            ready = process.stdout.readline()
            assert json.loads(ready or "{}") == {"ready": address}
            yield Upstream(address=address, link=link, namespace=namespace, process=process)
    finally:
        # The link first: with the namespace it would go too, but some time after the command has ended.
        on_host(host_fd, "link", "del", link)
        ip("netns", "del", namespace)


def on_host(host_fd: int, *words: str) -> str:
    """Run `ip` in the namespace of the engine's host."""
    return _run("nsenter", f"--net=/proc/self/fd/{host_fd}", "ip", *words, pass_fds=[host_fd])


def ip(*words: str) -> str:
    """Run `ip`."""
    return _run("ip", *words)


def _run(*words: str, pass_fds: Iterable[int] = ()) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True, pass_fds=tuple(pass_fds))
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout


def _connect(host_fd: int, namespace: str, link: str) -> str:
    """Lay the veth pair, and return the server's address. The link makes no address of its own: it is quiet."""
    subnet = _free_subnet(host_fd)
    here, there = subnet[1], subnet[2]
    on_host(host_fd, "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    on_host(host_fd, "link", "set", link, "addrgenmode", "none", "up")
    on_host(host_fd, "addr", "add", f"{here}/{subnet.prefixlen}", "dev", link)
    ip("-n", namespace, "link", "set", "lo", "up")
    ip("-n", namespace, "link", "set", "eth0", "addrgenmode", "none", "up")
    ip("-n", namespace, "addr", "add", f"{there}/{subnet.prefixlen}", "dev", "eth0")
    # Where nothing masquerades, a container's own address is the source.
    ip("-n", namespace, "route", "add", "default", "via", str(here))
    return str(there)


def _free_subnet(host_fd: int) -> IPv4Network:
    """Choose one that this host has no address in: others may run these tests beside us."""
    links = json.loads(on_host(host_fd, "-j", "-4", "addr"))
    taken = {ip_address(each["local"]) for link in links for each in link["addr_info"]}
    free = [each for each in PREFIX.subnets(new_prefix=30) if taken.isdisjoint(each)]
    return secrets.choice(free)
