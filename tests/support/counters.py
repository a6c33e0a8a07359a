"""What a container's own stack has counted: how a test knows that a probe was answered, without waiting for a time."""

from pathlib import Path


def echo_replies(pid: int) -> int:
    """Return how many ICMP echo replies the network stack of this process has taken in (/proc/PID/net/snmp)."""
    names, values = (line.split() for line in Path(f"/proc/{pid}/net/snmp").read_text().splitlines() if "Icmp:" in line)
    return int(dict(zip(names, values, strict=True))["InEchoReps"])
