"""Capabilities that are given up are gone for this process and for what it could become."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from inspector.privileges import NET_RAW, OF_OWNER, OF_WORKER, SETPCAP, SYS_ADMIN, held, keep

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def status() -> dict[str, int]:
    lines = (line.split(":\t") for line in Path("/proc/thread-self/status").read_text().splitlines())
    return {name: int(value, 16) for name, value in (each[:2] for each in lines if each[0].startswith("Cap"))}


def forked(work: Callable[[], bool]) -> bool:
    child = os.fork()
    if child == 0:
        result = 1
        try:
            result = 0 if work() else 2
        finally:
            os._exit(result)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_what_is_held_is_what_the_kernel_says() -> None:
    assert held() == status()["CapEff"]


def test_all_others_are_gone_from_every_set() -> None:
    def work() -> bool:
        keep((NET_RAW, SYS_ADMIN))
        bits = 1 << NET_RAW.bit | 1 << SYS_ADMIN.bit
        found = status()
        return (found["CapEff"], found["CapPrm"], found["CapBnd"], found["CapInh"]) == (bits, bits, bits, 0)

    assert forked(work)


def test_what_was_given_up_is_not_to_be_had_again() -> None:
    def work() -> bool:
        keep((NET_RAW,))
        keep((NET_RAW, SYS_ADMIN, SETPCAP))
        return held() == 1 << NET_RAW.bit

    assert forked(work)


def test_the_worker_has_less_than_its_owner() -> None:
    assert set(OF_WORKER) < set(OF_OWNER)
    assert not {"CAP_SETUID", "CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"} & {each.name for each in OF_WORKER}
