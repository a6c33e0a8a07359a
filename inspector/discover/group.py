"""Ask the kernel whose a process is: engines name a container's control group by its id."""

import select
from pathlib import Path


def is_in_group_of(container_id: str, pid: int, pidfd: int) -> bool:
    """Whether the process that `pidfd` means, by number `pid`, is in a group named by this id (cgroups(7)).

    While it runs its number means no other. Where the group is named otherwise, or cannot be seen, this says no.
    """
    try:
        groups = Path(f"/proc/{pid}/cgroup").read_bytes()
    except OSError:
        return False
    runs = not select.select([pidfd], [], [], 0)[0]
    return runs and bool(container_id) and container_id.encode() in groups
