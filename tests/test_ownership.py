"""What is written under sudo is the caller's; anywhere else nobody is acted for."""

import os
import threading
from pathlib import Path

import pytest
from capabilities import keep_capabilities

from inspector.errors import PrivilegeError
from inspector.ownership import acting_as, calling_user

NOBODY = 65534
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def ids() -> dict[str, list[str]]:
    lines = (line.split(":") for line in Path("/proc/thread-self/status").read_text().splitlines())
    return {name: value.split() for name, value in lines if name in {"Uid", "Gid", "Groups"}}


def test_nobody_called_sudo() -> None:
    assert calling_user({}) is None
    assert calling_user({"SUDO_UID": "me", "SUDO_GID": "1000"}) is None
    assert calling_user({"SUDO_UID": "4294967296", "SUDO_GID": "0"}) is None, "that would be root"


@ROOT_ONLY
def test_the_caller_is_acted_for_meanwhile_and_no_longer() -> None:
    owner = calling_user({"SUDO_UID": "65534", "SUDO_GID": "65534"})
    before = ids()
    with acting_as(owner):
        assert (ids()["Uid"][3], ids()["Gid"][3], ids()["Groups"]) == ("65534", "65534", ["65534"])
    assert ids() == before


@ROOT_ONLY
def test_other_threads_stay_who_they_are() -> None:
    before, seen = ids(), []
    with acting_as((NOBODY, NOBODY)):
        thread = threading.Thread(target=lambda: seen.append(ids()))
        thread.start()
        thread.join()
        # A thread that is started meanwhile acts for the same user; one that runs does not change.
        main = Path(f"/proc/{os.getpid()}/status").read_text()
    assert len(seen) == 1
    assert ids() == before
    assert "Uid:\t0\t0\t0\t65534" in main


@ROOT_ONLY
def test_root_follows_no_link_that_the_caller_could_not(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    secret = tmp_path / "roots"
    secret.mkdir(0o700)
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    (theirs / "link").symlink_to(secret)
    for parent in tmp_path.parents[:2]:
        parent.chmod(0o755)
    with acting_as((NOBODY, NOBODY)), pytest.raises(PermissionError):
        (theirs / "link" / "file").write_text("x")
    (theirs / "link" / "file").write_text("root would have followed it")


@ROOT_ONLY
def test_without_the_capability_it_is_said() -> None:
    child = os.fork()
    if child == 0:
        keep_capabilities(1)
        try:
            with acting_as((NOBODY, NOBODY)):
                os._exit(1)
        except PrivilegeError as error:
            os._exit(0 if "CAP_SETGID is missing" in str(error) else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
