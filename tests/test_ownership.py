"""What is written under sudo is the caller's; anywhere else nobody is acted for."""

import os

import pytest

from inspector.ownership import acting_as, calling_user


def test_nobody_called_sudo() -> None:
    assert calling_user({}) is None
    assert calling_user({"SUDO_UID": "me", "SUDO_GID": "1000"}) is None


@pytest.mark.kernel
def test_the_caller_is_acted_for_meanwhile_and_no_longer() -> None:
    owner = calling_user({"SUDO_UID": "65534", "SUDO_GID": "65534"})
    groups = os.getgroups()
    with acting_as(owner):
        assert (os.geteuid(), os.getgroups()) == (65534, [65534])
    assert (os.geteuid(), os.getegid(), os.getgroups()) == (0, 0, groups)
