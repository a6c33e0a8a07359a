"""Fewer privileges, for tests of programs that miss one."""

import ctypes


def keep_capabilities(*kept: int) -> None:
    """Stay the same user (who can read the virtual environment and the socket) with these capabilities alone."""
    pr_capbset_drop, version3 = 24, 0x20080522
    library = ctypes.CDLL(None)
    for number in range(41):
        if number not in kept:
            library.prctl(pr_capbset_drop, number, 0, 0, 0)
    head = (ctypes.c_uint32 * 2)(version3, 0)
    low = sum(1 << each for each in kept)
    library.capset(head, (ctypes.c_uint32 * 6)(low, low, 0, 0, 0, 0))
