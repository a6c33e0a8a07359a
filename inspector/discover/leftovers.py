"""List what of dnetsniff is on this machine: what a run left behind, and what is of one that goes on.

1. Everything a run has is tied to a descriptor, so whatever no process of ours holds is left behind, and so is a
   process that outlived what it worked for.
2. It is looked at the kernel's own lists, in each network namespace that a process is in or that a mount keeps.
3. It sends nothing, changes nothing, and needs no engine.
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from inspector import netns, tracing
from inspector.discover.own_processes import (
    PROC,
    Holders,
    OwnProcess,
    descriptors,
    holders,
    is_closed,
    own_processes,
    pids,
)
from inspector.discover.stack_leftovers import InStack, look_here
from inspector.errors import InspectorError
from inspector.model.leftover import OWN_NAME, Kind, Leftover, Leftovers
from inspector.model.text import safe

NAMED = Path("/run/netns")
FOLDERS = ("/tmp", "/var/tmp", "/dev/shm", "/run")  # noqa: S108 - where it is looked, not written
_MOUNT = re.compile(r"^\d+ \d+ \S+ \S+ (\S+) .* - nsfs ")
"""proc_pid_mountinfo(5): mount, parent, device, root, mount point, options, and the type behind a dash."""
_PERF = "anon_inode:[perf_event]"


class _Found(Struct):
    own: tuple[OwnProcess, ...]
    held: Holders
    left: list[Leftover] = field(default_factory=list)
    running: list[Leftover] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def put(self, kind: Kind, what: str, place: str, pid: int | None = None, remedy: str | None = None) -> None:
        """Take something in: what nobody holds is left, and what is held by a process that outlived its owner."""
        outlived = {each.pid for each in self.own if each.outlived}
        is_left = pid is None or pid in outlived
        kept = Leftover(kind, what, place, pid, f"kill {pid}" if pid in outlived else remedy if is_left else None)
        (self.left if is_left else self.running).append(kept)


def find_leftovers() -> Leftovers:
    """Look everywhere, and twice where something seems to be left: what begins or ends meanwhile is neither.

    What cannot be seen is said; nothing is raised.
    """
    found = _look()
    if not found.left:
        return found
    again = _look()
    return replace(again, left=tuple(each for each in again.left if each in found.left))


def _look() -> Leftovers:
    found = _Found(own_processes(), holders())
    if found.held.hidden:
        found.unseen.append(f"the descriptors of {found.held.hidden} processes: CAP_SYS_PTRACE is missing")
    with ExitStack() as stack:
        namespaces = {each.inode: each for each in _namespaces(found, stack)}
        for each in found.own:
            _look_at_process(found, each)
        looked = [_visit(each, partial(look_here, sockets=bool(found.own))) for each in namespaces.values()]
    for inode, seen in zip(namespaces, looked, strict=True):
        place = f"net:[{inode}]"
        if isinstance(seen, InStack):
            _look_at_stack(found, place, seen)
        else:
            found.unseen.append(f"{place}: {seen.message if isinstance(seen, InspectorError) else seen}")
    _look_at_names(found)
    return Leftovers(tuple(found.left), tuple(found.running), tuple(found.unseen))


def _visit(namespace: netns.Namespace, work: Callable[[], InStack]) -> InStack | Exception:
    """Return what is seen there, or why nothing is."""
    try:
        return netns.enter(namespace.fd, work)
    except (InspectorError, OSError) as error:
        return error


def _look_at_process(found: _Found, process: OwnProcess) -> None:
    pid = process.pid
    found.put(Kind.PROCESS, process.line, f"process {pid}", pid)
    try:
        events = list(descriptors(pid).values()).count(_PERF)
        main = str((PROC / str(pid) / "ns/net").readlink())
        abroad = tuple(_threads_abroad(pid, main))
    except OSError:
        return
    if events:
        found.put(Kind.EVENT, f"{events} open", f"process {pid}", pid)
    for inode in dict.fromkeys(_held_open(pid)):
        found.put(Kind.NAMESPACE, "held open", f"net:[{inode}]", pid)
    for thread, place in abroad:
        found.put(Kind.THREAD, f"thread {thread}", place, pid)


def _held_open(pid: int) -> Iterator[int]:
    """Yield the network namespaces that a process has descriptors of."""
    for path in _namespace_descriptors(pid):
        with suppress(OSError), netns.open_path(path) as namespace:
            yield namespace.inode


def _namespace_descriptors(pid: int) -> Iterator[Path]:
    """Yield the paths of those descriptors: what they were opened by may hide what they are."""
    nsfs = (PROC / "self/ns/net").stat().st_dev
    with suppress(PermissionError):
        for path in descriptors(pid):
            with suppress(OSError):
                if path.stat().st_dev == nsfs and netns.is_network(path):
                    yield path


def _threads_abroad(pid: int, main: str) -> Iterator[tuple[str, str]]:
    for thread in (PROC / str(pid) / "task").iterdir():
        try:
            place = str((thread / "ns/net").readlink())
        except OSError:
            continue
        if place != main:
            yield thread.name, place


def _look_at_stack(found: _Found, place: str, stack: InStack) -> None:
    own = frozenset(each.pid for each in found.own)
    for table in stack.tables:
        if OWN_NAME.fullmatch(table.name):
            holder = next(iter(found.held.sockets.get(stack.ports.get(table.owner or 0, 0), ())), None)
            remedy = f"nft delete table {table.family} {table.name}"
            found.put(Kind.TABLE, f"{table.family} {table.name}", place, holder, remedy)
    for each in stack.packet_sockets:
        holder = found.held.of(each.inode, own)
        # Without any process that is seen to hold it, it may be anybody's.
        if holder is None:
            continue
        found.put(Kind.SOCKET, "packet socket", place, holder)
        for number in each.promiscuous:
            name = safe(stack.interfaces.get(number, f"interface {number}"))
            found.put(Kind.PROMISCUITY, name, place, holder)
    for inode, kind in stack.others.items():
        if (holder := found.held.of(inode, own)) is not None:
            found.put(Kind.SOCKET, f"{kind} socket", place, holder)


def _look_at_names(found: _Found) -> None:
    for path in _named_namespaces():
        if OWN_NAME.fullmatch(path.name):
            found.put(Kind.NAMESPACE, path.name, str(path.parent), None, f"umount {path}; rm {path}")
    try:
        instances = tracing.instances()
    except OSError as error:
        instances = ()
        if isinstance(error, PermissionError):
            found.unseen.append(f"tracefs: {error.strerror}")
    for name in filter(OWN_NAME.fullmatch, instances):
        folder = tracing.MOUNTED / "instances"
        found.put(Kind.INSTANCE, name, str(folder), None, f"rmdir {folder / name}")
    for path in _temporary((*FOLDERS, tempfile.gettempdir())):
        found.put(Kind.FILE, path.name, str(path.parent), None, f"rm -r {path}")


def _temporary(folders: Iterable[str]) -> Iterator[Path]:
    for folder in dict.fromkeys(folders):
        try:
            paths = sorted(Path(folder).iterdir())
        except OSError:
            continue
        yield from (path for path in paths if OWN_NAME.match(path.name))


def _named_namespaces() -> Iterator[Path]:
    paths = [Path(found[1]) for line in _mounts() if (found := _MOUNT.match(line))]
    if NAMED.is_dir():
        paths += NAMED.iterdir()
    return iter(sorted(dict.fromkeys(paths)))


def _mounts() -> tuple[str, ...]:
    try:
        return tuple((PROC / "self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines())
    except OSError:
        return ()


def _namespaces(found: _Found, stack: ExitStack) -> Iterator[netns.Namespace]:
    """Open each network namespace once: of all processes, and those that a mount keeps."""
    seen: set[int] = set()
    held = (path for each in found.own for path in _namespace_descriptors(each.pid))
    paths = (*(PROC / str(pid) / "ns/net" for pid in pids()), *_named_namespaces(), *held)
    hidden = 0
    for path in paths:
        try:
            inode = path.stat().st_ino
            if inode in seen:
                continue
            namespace = stack.enter_context(netns.open_path(path))
        except FileNotFoundError:
            continue
        except PermissionError:
            hidden += path.parts[1] != PROC.name or is_closed(int(path.parts[2]))
            continue
        except (InspectorError, OSError):
            continue
        seen.add(inode)
        yield namespace
    if hidden:
        found.unseen.append(f"{hidden} network stacks: CAP_SYS_PTRACE is missing")
