"""Find out whether firewall rules can be traced here, by trying: a table without chains, which is gone at once."""

import os
import socket

from inspector.wire.nfnetlink import ERROR, error_number, messages
from inspector.wire.nft_mark import trial

_NETLINK_NETFILTER, _SOL_NETLINK, _ADD_MEMBERSHIP, _NFTRACE = 12, 270, 1, 9
"""linux/netlink.h; NFNLGRP_NFTRACE (linux/netfilter/nfnetlink.h)"""
_PATIENCE_S = 1
_RECEIVED = 65_536


def try_rule_tracing() -> None:
    """Make a table that this socket owns, in the calling thread's namespace. Raises OSError where that cannot be."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER) as sock:
        sock.settimeout(_PATIENCE_S)
        sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, _NFTRACE)
        sock.sendall(trial(f"dnetsniff-{os.urandom(4).hex()}"))
        while True:
            for message in messages(sock.recv(_RECEIVED)):
                if message.type == ERROR:
                    number = error_number(message)
                    if number:
                        raise OSError(number, os.strerror(number))
                    return
