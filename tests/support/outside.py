"""A world beyond the engine's host: a router one veth pair away, and behind it a machine that answers."""

import shlex
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from commands import Ran, dnetsniff
from msgspec import Struct
from session_tag import new_tag
from upstream_place import ip, on_host

NEAR, ROUTER, FAR_ROUTER, FAR = "203.0.113.1", "203.0.113.2", "203.0.113.129", "203.0.113.130"
BEYOND = "203.0.113.128/25"
"""TEST-NET-3 (RFC 5737)."""


class Outside(Struct, frozen=True):
    """The router's namespace, the one behind it, and the host's link to the router."""

    link: str
    router: str
    far: str

    def carries(self, mtu: int) -> None:
        """Give the link between the router and the far machine this MTU, at both ends."""
        ip("-n", self.router, "link", "set", "far0", "mtu", str(mtu))
        ip("-n", self.far, "link", "set", "eth0", "mtu", str(mtu))


@contextmanager
def outside(host_fd: int) -> Iterator[Outside]:
    """Lay both links; everything is gone afterwards."""
    tag = new_tag()
    world = Outside(link=f"dnout{tag}", router=f"dn-router-{tag}", far=f"dn-far-{tag}")
    try:
        for name in (world.router, world.far):
            ip("netns", "add", name)
            ip("-n", name, "link", "set", "lo", "up")
        on_host(host_fd, "link", "add", world.link, "type", "veth", "peer", "name", "eth0", "netns", world.router)
        ip("-n", world.router, "link", "add", "far0", "type", "veth", "peer", "name", "eth0", "netns", world.far)
        ip("-n", world.router, "addr", "add", f"{ROUTER}/30", "dev", "eth0")
        ip("-n", world.router, "addr", "add", f"{FAR_ROUTER}/25", "dev", "far0")
        ip("-n", world.far, "addr", "add", f"{FAR}/25", "dev", "eth0")
        for name, link in ((world.router, "eth0"), (world.router, "far0"), (world.far, "eth0")):
            ip("-n", name, "link", "set", link, "addrgenmode", "none", "up")
        ip("-n", world.far, "route", "add", "default", "via", FAR_ROUTER)
        ip("netns", "exec", world.router, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        on_host(host_fd, "addr", "add", f"{NEAR}/30", "dev", world.link)
        on_host(host_fd, "link", "set", world.link, "addrgenmode", "none", "up")
        on_host(host_fd, "route", "add", BEYOND, "via", ROUTER)
        yield world
    finally:
        # The link first: with the namespace it would go too, but some time after the command has ended.
        subprocess.run(
            ["nsenter", f"--net=/proc/self/fd/{host_fd}", "ip", "link", "del", world.link],
            check=False,
            pass_fds=[host_fd],
        )
        for name in (world.router, world.far):
            subprocess.run(["ip", "netns", "del", name], check=False)


def in_host(host_fd: int, line: str) -> str:
    """Run a line in a shell, in the network namespace of the engine's host; it must succeed."""
    words = ["nsenter", f"--net=/proc/self/fd/{host_fd}", "sh", "-ec", line]
    done = subprocess.run(words, check=False, capture_output=True, text=True, pass_fds=[host_fd])
    assert done.returncode == 0, f"{line}: {done.stderr}"
    return done.stdout


def mend(host_fd: int, remedies: Iterable[str]) -> list[Ran]:
    """Do what a finding says, as it is printed; return what its own commands of dnetsniff came to."""
    ran = []
    for line in remedies:
        words = shlex.split(line, comments=True)
        if words[0] == "dnetsniff":
            ran.append(dnetsniff(*words[1:]))
        elif words[0] in {"ip", "iptables", "nsenter", "docker"}:
            in_host(host_fd, line)
    return ran
