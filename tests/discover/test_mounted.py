"""Whose stack it is, by the addresses in it: told only where there is no doubt."""

from ipaddress import ip_interface

from inspector.discover.facts import LinkFact, StackFact
from inspector.discover.mounted import lead_elsewhere, owners_of
from inspector.model.topology import HOST, Container, Endpoint, LinkKind, Mode, SandboxId

MAC, OTHER = "02:42:ac:11:00:02", "02:42:ac:11:00:03"


def link(mac: str, *addresses: str, kind: LinkKind = LinkKind.VETH, ifindex: int = 2, peer: int = 5) -> LinkFact:
    return LinkFact(
        ifindex=ifindex,
        name="eth0",
        kind=kind,
        up=True,
        running=True,
        mtu=1500,
        mac=mac,
        peer_ifindex=peer,
        peer_nsid=0,
        master=None,
        port=None,
        forwarding=True,
        promiscuity=0,
        addresses=tuple(ip_interface(each) for each in addresses),
    )


def stack(number: int, *links: LinkFact, nsids: tuple[tuple[int, SandboxId], ...] = ((0, HOST),)) -> StackFact:
    return StackFact(SandboxId(f"net:[{number}]"), number, links, nsids=nsids)


def container(name: str, *ends: Endpoint, mode: Mode = Mode.OWN, state: str = "running") -> Container:
    return Container(f"id-{name}", name, state, mode, None, endpoints=ends)


def end(address: str = "172.17.0.2", mac: str | None = MAC) -> Endpoint:
    return Endpoint("bridge", (address,) if address else (), mac)


WEB, DB = stack(1, link(MAC, "172.17.0.2/16")), stack(2, link(OTHER, "172.17.0.3/16"))


def test_a_stack_is_known_by_address_and_mac() -> None:
    known = (container("web", end()), container("db", end("172.17.0.3", OTHER)))
    assert owners_of((WEB, DB), known) == {"web": "net:[1]", "db": "net:[2]"}


def test_each_address_of_each_network_has_to_be_there() -> None:
    both = stack(1, link(MAC, "172.17.0.2/16"), link(OTHER, "10.0.0.2/24", ifindex=3))
    assert owners_of((both,), (container("web", end(), end("10.0.0.2", OTHER)),)) == {"web": "net:[1]"}
    assert owners_of((WEB,), (container("web", end(), end("10.0.0.2", OTHER)),)) == {}


def test_who_changed_an_address_is_to_be_asked_for() -> None:
    assert owners_of((WEB,), (container("web", end(mac=OTHER)), container("db", end("172.17.0.9")))) == {}


def test_two_that_look_alike_are_to_be_asked_for() -> None:
    twin = stack(3, link(MAC, "172.17.0.2/16"))
    assert owners_of((WEB, twin), (container("web", end()),)) == {}
    assert owners_of((WEB,), (container("web", end()), container("copy", end()))) == {}


def test_of_whom_the_engine_tells_too_little_has_to_be_asked_for() -> None:
    known = (
        container("none", mode=Mode.NONE),
        container("shared", mode=Mode.SHARED),
        container("stopped", end(), state="exited"),
        container("bare", end(address="", mac=MAC)),
        container("macless", end(mac=None)),
    )
    assert owners_of((WEB,), known) == {}


def test_a_container_called_host_is_to_be_asked_for() -> None:
    assert owners_of((WEB,), (container("host", end()),)) == {}


def test_a_loopback_s_address_is_everybody_s() -> None:
    loopback = stack(1, link("00:00:00:00:00:00", "172.17.0.2/8", kind=LinkKind.LOOPBACK))
    assert owners_of((loopback,), (container("web", end(mac="00:00:00:00:00:00")),)) == {}


def test_who_leads_to_another_stack() -> None:
    left = stack(1, link(MAC, ifindex=2, peer=3), nsids=())
    right = stack(2, link(OTHER, ifindex=3, peer=2), nsids=())
    hidden = stack(3, link(MAC, ifindex=7, peer=8), nsids=())
    above = stack(4, link(MAC, kind=LinkKind.MACVLAN), nsids=())
    assert lead_elsewhere((left, right, hidden, above, WEB)) == {"net:[1]", "net:[2]", "net:[4]"}
