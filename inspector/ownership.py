"""Write as the user who asked: under sudo, what we make belongs to them, and root follows no link of theirs."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

Owner = tuple[int, int]
"""User and group id."""


def calling_user(environment: Mapping[str, str]) -> Owner | None:
    """Return who called sudo; None where nobody did."""
    uid, gid = environment.get("SUDO_UID", ""), environment.get("SUDO_GID", "")
    return (int(uid), int(gid)) if uid.isdecimal() and gid.isdecimal() and os.geteuid() == 0 else None


@contextmanager
def acting_as(owner: Owner | None) -> Iterator[None]:
    """Have the effective ids of this user, if we are root; the process must still have a single thread that cares."""
    if owner is None or os.geteuid() != 0:
        yield
        return
    user, group = owner
    groups, group_before = os.getgroups(), os.getegid()
    try:
        os.setgroups([group])
        os.setegid(group)
        os.seteuid(user)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group_before)
        os.setgroups(groups)
