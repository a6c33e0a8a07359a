"""What answers before DNS is asked, and after it: /etc/hosts, in the order of nsswitch.conf."""

import pytest
from msgspec.structs import replace

from inspector.model.lookup import Ending, HostsLine, Libc, ResolverFile, ResolverSetup, Wanted
from inspector.model.topology import SandboxId
from inspector.plan.mechanisms import Turn, after_dns, before_dns, hosts_match
from inspector.wire.resolver_files import read_nsswitch

BOX = SandboxId("container:web")
PAIR = ("A", "AAAA")
FOUR = HostsLine(1, "10.0.0.9", ("web", "web.shop"))
SIX = HostsLine(2, "fd00::9", ("web",))
LOOP = HostsLine(3, "::1", ("localhost",))
LINES = (FOUR, SIX, LOOP)


def _setup(order: str = "files dns", *, libc: Libc = Libc.GLIBC, hosts: tuple[HostsLine, ...] = LINES) -> ResolverSetup:
    services = read_nsswitch(f"hosts: {order}\n")
    assert services is not None
    return ResolverSetup(libc, "told", services=services, hosts=hosts)


def _wanted(name: str, types: tuple[str, ...] = PAIR) -> Wanted:
    return Wanted(name, types, BOX)


@pytest.mark.parametrize(
    ("name", "types", "glibc", "musl"),
    [
        ("web", PAIR, (FOUR, SIX), (FOUR, SIX)),
        ("web", ("AAAA",), (SIX,), (SIX,)),
        ("WEB", PAIR, (FOUR, SIX), ()),
        ("web.shop", PAIR, (FOUR,), (FOUR,)),
        ("localhost", ("A",), (LOOP,), ()),
        ("10.0.0.9", ("PTR",), (FOUR,), (FOUR,)),
        ("10.0.0.9", PAIR, (), ()),
        ("nobody", PAIR, (), ()),
    ],
)
def test_the_lines_that_answer(
    name: str, types: tuple[str, ...], glibc: tuple[HostsLine, ...], musl: tuple[HostsLine, ...]
) -> None:
    assert hosts_match(LINES, name, types) == glibc
    assert hosts_match(LINES, name, types, Libc.MUSL) == musl


@pytest.mark.parametrize(
    ("order", "name", "turn"),
    [
        ("files dns", "web", Turn(hosts=(FOUR, SIX))),
        ("files dns", "other", Turn(asks=True)),
        ("dns files", "web", Turn(asks=True)),
        ("files", "other", Turn()),
        ("files [NOTFOUND=return] dns", "other", Turn()),
        ("files [SUCCESS=continue] dns", "web", Turn(asks=True)),
        ("mymachines files", "web", Turn(hosts=(FOUR, SIX), unknown=("mymachines",))),
        ("mdns4_minimal [NOTFOUND=return] dns", "web", Turn(asks=True, unknown=("mdns4_minimal",))),
        ("resolve [UNAVAIL=return] dns", "web", Turn(unknown=("resolve",))),
        ("files [NONSENSE=return] dns", "web", Turn()),
        ("files dns", "10.0.0.1", Turn()),
    ],
)
def test_what_comes_before_dns(order: str, name: str, turn: Turn) -> None:
    assert before_dns(_setup(order), _wanted(name)) == turn


def test_another_type_goes_past_the_order_to_dns() -> None:
    assert before_dns(_setup("files"), _wanted("web", ("MX",))) == Turn(asks=True)


def test_a_hosts_file_that_could_not_be_read_is_unavailable() -> None:
    setup = _setup("files [UNAVAIL=return] dns", hosts=())
    unread = replace(setup, files=(ResolverFile("/etc/hosts", None, "the container's own file", why="no such file"),))
    assert before_dns(setup, _wanted("web")).asks
    assert not before_dns(unread, _wanted("web")).asks


def test_musl_stops_where_the_hosts_file_has_the_name_of_the_other_family() -> None:
    setup = _setup("dns files", libc=Libc.MUSL, hosts=(SIX,))
    assert before_dns(setup, _wanted("web", ("A",))) == Turn()
    assert before_dns(replace(setup, libc=Libc.GLIBC), _wanted("web", ("A",))).asks


@pytest.mark.parametrize(
    ("order", "ending", "lines"),
    [
        ("dns files", Ending.NO_SUCH_NAME, (FOUR, SIX)),
        ("dns files", Ending.TIMED_OUT, (FOUR, SIX)),
        ("dns files", Ending.ANSWERED, ()),
        ("dns [!UNAVAIL=return] files", Ending.NO_DATA, ()),
        ("dns [!UNAVAIL=return] files", Ending.UNREACHABLE, (FOUR, SIX)),
        ("dns [UNAVAIL=return] files", Ending.SERVER_FAILED, ()),
        ("files dns", Ending.NO_SUCH_NAME, ()),
        ("dns dns files", Ending.NO_SUCH_NAME, (FOUR, SIX)),
    ],
)
def test_what_comes_after_dns(order: str, ending: Ending, lines: tuple[HostsLine, ...]) -> None:
    assert after_dns(_setup(order), _wanted("web"), ending).hosts == lines


def test_nothing_comes_after_dns_in_musl() -> None:
    assert after_dns(_setup("dns files", libc=Libc.MUSL), _wanted("web"), Ending.NO_SUCH_NAME) == Turn()
