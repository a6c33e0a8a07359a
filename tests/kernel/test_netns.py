"""Namespaces are entered for one piece of work, and left for good."""

import os
import socket
import subprocess
import threading

import pytest
from lab import Lab, descriptors, threads_abroad

from inspector import netns
from inspector.errors import DepartedError, PrivilegeError

pytestmark = pytest.mark.kernel


def _here() -> int:
    with netns.own() as namespace:
        return namespace.inode


def test_work_runs_inside_and_its_result_comes_back(world: Lab) -> None:
    home = _here()
    assert netns.enter(world.fds["a"], _here) == world.inode("a")
    assert _here() == home


def test_an_exception_of_the_work_comes_back(world: Lab) -> None:
    with pytest.raises(KeyError, match="lost"):
        netns.enter(world.fds["a"], lambda: {}["lost"])


def test_a_socket_stays_where_it_was_opened(world: Lab) -> None:
    with netns.enter(world.fds["a"], lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sock:
        sock.bind(("10.99.0.2", 0))
        assert sock.getsockname()[0] == "10.99.0.2", "an address that no other namespace has"


def test_no_thread_remains(world: Lab) -> None:
    before = threading.active_count()
    for _ in range(20):
        netns.enter(world.fds["b"], _here)
    assert threading.active_count() == before
    assert threads_abroad() == []


def test_a_process_namespace_is_opened_and_closed_on_exec(world: Lab) -> None:
    sleeper = subprocess.Popen(["ip", "netns", "exec", world.names["a"], "sleep", "20"])
    try:
        while True:
            with netns.open_of(sleeper.pid) as namespace:
                assert not os.get_inheritable(namespace.fd)
                if namespace.inode == world.inode("a"):
                    break
    finally:
        sleeper.kill()
        sleeper.wait()


def test_a_process_that_is_gone_has_departed() -> None:
    before = descriptors()
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(DepartedError, match="gone"):
        netns.open_of(ended.pid)
    with pytest.raises(DepartedError):
        netns.open_pidfd(ended.pid)
    assert descriptors() == before


def test_without_the_capability_the_error_names_it(world: Lab) -> None:
    child = os.fork()
    if child == 0:
        os.setresuid(65534, 65534, 65534)
        told = []
        for attempt in (lambda: netns.enter(world.fds["a"], _here), lambda: netns.open_of(1)):
            try:
                attempt()
            except PrivilegeError as error:
                told.append(str(error))
        os._exit(0 if "CAP_SYS_ADMIN" in told[0] and "CAP_SYS_PTRACE" in told[1] and "sudo" in told[1] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_one_visit_goes_from_namespace_to_namespace(world: Lab) -> None:
    here = netns.own()
    with here:
        inodes = netns.enter_each((world.fds[each], _inode) for each in ("a", "s", "a"))
        assert inodes == [os.fstat(world.fds[each]).st_ino for each in ("a", "s", "a")]
        assert netns.enter_each(()) == []
        with netns.own() as now:
            assert now.inode == here.inode


def _inode() -> int:
    with netns.own() as namespace:
        return namespace.inode
