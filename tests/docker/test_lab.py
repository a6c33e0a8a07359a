"""The lab on a live engine: nothing of the user's is touched, and no half of it stays."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import PROGRAM, docker
from upstream_answers import Behaviour
from upstream_place import Upstream

from inspector.lab.image import BUSYBOX, image_tree
from inspector.lab.layout import COURSE, LABEL, MEMBERS, NETWORK

pytestmark = pytest.mark.docker

Run = Callable[..., Any]
NAMES = [each.name for each in MEMBERS]
STAYS, ENDS = "dntest:img", "dntest:ends"
MINE, MY_NETWORK = "dntest-mine", "dntest-net"


def labelled(kind: str) -> list[str]:
    words = {"container": ("ps", "-aq"), "network": ("network", "ls", "-q")}[kind]
    return docker(*words, "--filter", f"label={LABEL}={COURSE}").split()


def containers() -> list[str]:
    return docker("ps", "-a", "--format", "{{.Names}}").split()


def assert_no_lab(run: Run) -> None:
    assert labelled("container") == []
    assert labelled("network") == []
    ran = run("lab", "status")
    assert (ran.status, ran.out) == (1, "the lab is not up\n")


@pytest.fixture
def clear(run: Run, lab_up: tuple[str, ...], tmp_path: Path) -> Iterator[None]:
    """Take away the lab of other tests, with two images of the user's in place; put it back afterwards."""
    was_up = run("lab", "status").status == 0
    down = run("lab", "down")
    assert down.status == 0, down.err
    tree = tmp_path / "tree.tar"
    tree.write_bytes(image_tree(BUSYBOX.read_bytes()))
    docker("import", "--change", 'CMD ["/bin/busybox", "sleep", "600"]', str(tree), STAYS)
    docker("import", "--change", 'CMD ["/bin/busybox", "true"]', str(tree), ENDS)
    yield
    if own := docker("ps", "-aq", "--filter", f"ancestor={STAYS}", "--filter", f"ancestor={ENDS}").split():
        docker("rm", "-f", *own)
    for name in docker("network", "ls", "--format", "{{.Name}}", "--filter", f"name=^{MY_NETWORK}$").split():
        docker("network", "rm", name)
    run("lab", "down")
    docker("rmi", STAYS, ENDS)
    if was_up:
        up = run(*lab_up)
        assert up.status == 0, up.err


def test_up_again_says_that_it_is_up(run: Run, course: str) -> None:
    before = labelled("container")
    ran = run("lab", "up")
    assert ran.status == 0, ran.err
    assert ran.out.splitlines()[0] == "the lab was up already"
    assert labelled("container") == before


def test_status_shows_all_five_in_the_course_s_order(run: Run, course: str) -> None:
    ran = run("lab", "status")
    assert ran.status == 0, ran.out
    rows = [line.split() for line in ran.out.splitlines()]
    assert [row[0] for row in rows] == NAMES
    assert {row[1] for row in rows} == {"running"}
    assert [row[2] for row in rows] == [each.network for each in MEMBERS]
    for row in rows:
        address = docker("inspect", "-f", f'{{{{(index .NetworkSettings.Networks "{row[2]}").IPAddress}}}}', row[0])
        assert row[3] == address


def test_the_link_of_the_course_is_there(course: str) -> None:
    assert docker("inspect", "-f", "{{.HostConfig.Links}}", "tomcat03") == "[/tomcat01:/tomcat03/tomcat01]"


def test_each_one_asks_the_server_that_up_was_given(course: str, upstream: Upstream) -> None:
    upstream.serve({"www.example A": Behaviour(records=(("A", "192.0.2.7"),))})
    for name in NAMES:
        assert docker("inspect", "-f", "{{.HostConfig.Dns}}", name) == f"[{upstream.address}]"
        assert "192.0.2.7" in docker("exec", name, "nslookup", "-type=a", "www.example")
    asked = [(each.name, each.type, each.transport) for each in upstream.queries()]
    assert asked == [("www.example", "A", "udp")] * len(NAMES)


@pytest.mark.timeout(180)
def test_nothing_of_the_user_s_is_touched(run: Run, clear: None) -> None:
    a_taken_name_is_refused(run)
    offer = a_taken_subnet_is_refused_and_another_offered(run)
    what_cannot_be_finished_is_taken_down(run, offer)
    the_offered_subnet_works(run, offer)
    a_guest_keeps_the_lab_up(run)
    half_a_lab_is_said(run)
    down_leaves_what_is_the_user_s(run)


def a_taken_name_is_refused(run: Run) -> None:
    docker("create", "--name", "tomcat02", STAYS)
    ran = run("lab", "up")
    assert ran.status == 2
    assert "already a container called tomcat02" in ran.err
    assert_no_lab(run)
    assert "tomcat02" in containers()
    docker("rename", "tomcat02", MINE)
    docker("start", MINE)

    docker("network", "create", "--subnet", "10.99.0.0/24", NETWORK)
    ran = run("lab", "up")
    docker("network", "rm", NETWORK)
    assert ran.status == 2
    assert f"already a network called {NETWORK}" in ran.err
    assert_no_lab(run)


def a_taken_subnet_is_refused_and_another_offered(run: Run) -> str:
    docker("network", "create", "--subnet", "192.168.0.0/24", MY_NETWORK)
    ran = run("lab", "up", "--image", STAYS)
    assert ran.status == 2
    assert f"overlaps 192.168.0.0/24, which is the network {MY_NETWORK}" in ran.err
    assert_no_lab(run)
    offer = re.search(rf"take a free one: dnetsniff lab up --image {STAYS} --subnet (\S+)$", ran.err.strip())
    assert offer, ran.err
    return offer[1]


def what_cannot_be_finished_is_taken_down(run: Run, subnet: str) -> None:
    ran = run("lab", "up", "--image", ENDS, "--subnet", subnet)
    assert ran.status == 2, ran.out + ran.err
    assert_no_lab(run)
    assert not set(NAMES) & set(containers())

    ran = run("lab", "up", "--image", "dntest:none", "--subnet", subnet)
    assert ran.status == 2
    assert "docker pull dntest:none" in ran.err
    assert_no_lab(run)


def the_offered_subnet_works(run: Run, subnet: str) -> None:
    ran = run("lab", "up", "--image", STAYS, "--subnet", subnet)
    assert ran.status == 0, ran.err
    assert ran.out.splitlines()[0] == "the lab is up"
    assert docker("network", "inspect", "-f", "{{(index .IPAM.Config 0).Subnet}}", NETWORK) == subnet


def a_guest_keeps_the_lab_up(run: Run) -> None:
    docker("network", "connect", NETWORK, MINE)
    ran = run("lab", "down")
    assert ran.status == 2
    assert f"{MINE} is on {NETWORK} too" in ran.err
    assert run("lab", "status").status == 0
    docker("stop", "-t", "0", MINE)
    stopped = run("lab", "down")
    docker("start", MINE)
    assert (stopped.status, stopped.err) == (2, ran.err), "a stopped guest could not start again without its network"
    way_out = re.search(r"first: docker (network disconnect .*)$", ran.err.strip())
    assert way_out, ran.err
    docker(*way_out[1].split())


def half_a_lab_is_said(run: Run) -> None:
    docker("rm", "-f", "tomcat03")
    ran = run("lab", "status")
    assert ran.status == 1
    assert ran.out.splitlines()[-1] == "the lab is not whole"
    ran = run("lab", "up")
    assert ran.status == 2
    assert "dnetsniff lab down" in ran.err


def down_leaves_what_is_the_user_s(run: Run) -> None:
    ran = run("lab", "down")
    assert ran.status == 0, ran.err
    assert_no_lab(run)
    assert not set(NAMES) & set(containers())
    assert docker("inspect", "-f", "{{.State.Running}}", MINE) == "true"
    assert docker("network", "ls", "-q", "--filter", f"name=^{MY_NETWORK}$")
    assert docker("images", "-q", STAYS)
    ran = run("lab", "down")
    assert (ran.status, ran.out) == (0, "there was no lab\n")


def test_an_image_that_ends_at_once_is_named(run: Run, clear: None) -> None:
    ran = run("lab", "up", "--image", ENDS)
    assert ran.status == 2
    assert f"the image {ENDS} does not stay up" in ran.err


def test_a_container_of_the_user_s_from_the_lab_s_image_is_not_the_lab_s(
    run: Run, course: str, extra: Callable[..., str]
) -> None:
    extra(MINE)
    assert MINE not in run("lab", "status").out


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_at_any_moment_it_leaves_nothing(run: Run, clear: None, number: signal.Signals) -> None:
    """The moments are the engine's own events: the network is made, the first container, the last one."""
    for event in ("network create", "container create", "container start"):
        with subprocess.Popen(
            [
                "docker",
                "events",
                "--since",
                f"{time.time():.6f}",
                "--filter",
                f"event={event.split()[1]}",
                "--format",
                "{{.Type}} {{.Action}}",
            ],
            stdout=subprocess.PIPE,
            text=True,
        ) as events:
            assert events.stdout is not None
            up = subprocess.Popen([*PROGRAM, "lab", "up"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            while not events.stdout.readline().startswith(event):
                assert up.poll() is None
            up.send_signal(number)
            out, err = up.communicate(timeout=30)
            events.terminate()
        assert (up.returncode, out) == (130, ""), err
        assert "what was built is removed again" in err
        assert_no_lab(run)
