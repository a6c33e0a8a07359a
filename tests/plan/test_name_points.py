"""Where a lookup is watched: the source's loopback, what could leave it, and the way to each server."""

from topologies import read

from inspector.model.lookup import Libc, Nameservers, ResolverSetup, Upstream
from inspector.model.topology import HOST, SandboxId, Topology
from inspector.plan.name_points import name_points, servers_of

WORLD = """
[host]
links = { eth0 = ["192.0.2.2/24"] }
gateway = "192.0.2.1"
[networks.bridge]
bridge = "docker0"
subnets = ["172.17.0.1/16"]
[networks.app]
bridge = "br-app"
subnets = ["172.18.0.1/16"]
[containers.web]
networks = { app = ["172.18.0.2"] }
[containers.dns]
networks = { app = ["172.18.0.53"] }
"""


def setup(*servers: str, upstreams: tuple[Upstream, ...] = ()) -> ResolverSetup:
    return ResolverSetup(Libc.GLIBC, "assumed", nameservers=Nameservers(servers), upstreams=upstreams)


def points(known: ResolverSetup, source: str = "web", **more: bool) -> list[str]:
    return [str(each) for each in name_points(world(), SandboxId(source), known, **more)]


def world() -> Topology:
    return read(WORLD)


def test_the_loopback_stands_first_and_what_could_leave_follows() -> None:
    assert points(setup("127.0.0.11")) == ["web/lo", "web/eth0", "host/veth-web", "host/br-app"]


def test_a_server_outside_is_watched_up_to_the_uplink() -> None:
    assert points(setup("203.0.113.53"))[-1] == "host/eth0"


def test_what_is_forwarded_is_watched_from_both_sides() -> None:
    known = setup("127.0.0.11", upstreams=(Upstream("203.0.113.53"),))
    assert "host/eth0" in points(known)
    at_the_host = setup("127.0.0.11", upstreams=(Upstream("127.0.0.53", from_host=True),))
    assert points(at_the_host)[-1] == "host/lo"


def test_a_server_that_is_a_container_is_watched_through_its_bridge() -> None:
    known = name_points(world(), SandboxId("web"), setup("172.18.0.53"))
    assert [str(each) for each in known][-2:] == ["host/veth-dns", "dns/eth0"]
    assert [str(each) for each in known if each.promiscuous] == ["host/br-app"]
    assert not [
        each for each in name_points(world(), SandboxId("web"), setup("172.18.0.53"), passive=True) if each.promiscuous
    ]


def test_the_host_is_watched_at_its_loopback_and_on_the_way() -> None:
    assert points(setup("203.0.113.53"), source=HOST) == ["host/lo", "host/eth0"]


def test_servers_are_counted_once_and_without_scope() -> None:
    known = setup("fe80::1%2", "10.0.0.53", upstreams=(Upstream("10.0.0.53"), Upstream("10.0.0.54")))
    assert servers_of(known) == ("fe80::1", "10.0.0.53", "10.0.0.54")
