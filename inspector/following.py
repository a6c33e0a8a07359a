"""Find the capture points of a long capture, and go on finding them: containers start, stop, connect and disconnect.

1. What there is is looked up whole, each time the engine tells of a change: a difference cannot be missed that way.
2. A point is known by its namespace and interface index. A container that is renamed or paused has the same ones.
3. The engine may go away: what is captured does not depend on it. It is asked again until it answers.
4. Two threads of our own: one waits for the engine's events, one looks. The loop that captures waits for neither.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from threading import Event, Lock, Thread

from inspector import netns
from inspector.archive_frames import interface_at, names_of
from inspector.capture.news import Abandoned, Arrived, Gone, Named, PointKey
from inspector.capture.point_tap import MOST_MEMORY, MOST_PER_POINT, NoEthernetError, PointTap, share_out
from inspector.capture.ring import Shape
from inspector.discover.engine import Engine
from inspector.discover.kernel import Extent
from inspector.discover.survey import Stacks, survey
from inspector.errors import EngineUnreachableError, InspectorError, PrivilegeError
from inspector.model.question import CapturePoint
from inspector.model.topology import HOST, EngineIdentity, SandboxId, Topology
from inspector.plan.capture_points import Wanted, find, find_again, looked_into, points_of
from inspector.wire import pcapng

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
CAN_RAW = "the kernel did not let us open a raw socket: CAP_NET_RAW is missing"

AWAY = "the engine went away; what is still there is captured on, and new points are not found"
BACK = "the engine is back"

Item = Arrived | Gone | Named | Abandoned


class Following:
    """The news of a long capture."""

    def __init__(
        self,
        connect: Callable[[], Engine],
        words: Sequence[str],
        *,
        program: bytes,
        described: Callable[[pcapng.Interface], pcapng.Interface],
        passive: bool,
        tell: Callable[[str], None],
        realtime_s: Callable[[], float],
    ) -> None:
        """Look for the first time. Raises UsageError where a word means nothing.

        `described` adds to an interface what is the same for all of them; `tell` says a line to the user.
        """
        self._connect = connect
        self._engine = connect()
        self.words = tuple(words)
        self._program = program
        self._described = described
        self._passive = passive
        self._tell = tell
        self._realtime_s = realtime_s
        self._known: set[PointKey] = set()
        self._rings: dict[PointKey, int] = {}
        """Bytes of the ring of each point that is captured."""
        self._refused: set[PointKey] = set()
        self._wanted: Wanted | None = None
        self._items: list[Item] = []
        self._lock = Lock()
        self._ring, self._bell = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._changed, self._closing = Event(), Event()
        self._since_s = int(realtime_s())
        try:
            self.identity: EngineIdentity = self._engine.identity()
            self._look()
        except BaseException:
            self.close()
            raise
        self._threads = (Thread(target=self._listen, daemon=True), Thread(target=self._go_on, daemon=True))

    def start(self) -> None:
        """Go on looking, beside what else is done."""
        for each in self._threads:
            each.start()

    def fileno(self) -> int:
        """Return a descriptor that turns readable when there are news."""
        return self._ring

    def take(self) -> list[Item]:
        """Return the news, without waiting."""
        with suppress(BlockingIOError):
            os.read(self._ring, 4096)
        with self._lock:
            items, self._items = self._items, []
        return items

    def forget(self, key: PointKey) -> None:
        """Take in that a point is not captured any more; if it is still there, it is found again."""
        with self._lock:
            self._known.discard(key)
        self._changed.set()

    def close(self) -> None:
        """Stop looking. What was opened and not taken is closed."""
        self._closing.set()
        self._changed.set()
        self._engine.close()
        for each in self.take():
            if isinstance(each, Arrived):
                each.tap.close()
                if each.pidfd is not None:
                    os.close(each.pidfd)

    def _put(self, items: Iterable[Item]) -> None:
        with self._lock:
            self._items += items
        with suppress(BlockingIOError):
            os.write(self._bell, b"!")

    def _listen(self) -> None:
        """Wait for events; where the engine goes away, ask until it is back."""
        pause_s, here = FIRST_PAUSE_S, True
        while not self._closing.is_set():
            since_s, self._since_s = self._since_s, int(self._realtime_s())
            with suppress(InspectorError):
                for _ in self._engine.changes(since_s):
                    self._changed.set()
            if self._closing.is_set():
                return
            if here != self._engine.answers():
                here = not here
                self._tell(BACK if here else AWAY)
                self._put((Abandoned(alone=not here),))
                self._changed.set()
            # A stream that was silent for some time ends, too.
            pause_s = FIRST_PAUSE_S if here else min(pause_s * 2, LONGEST_PAUSE_S)
            self._closing.wait(pause_s)

    def _go_on(self) -> None:
        while True:
            self._changed.wait()
            self._changed.clear()
            if self._closing.is_set():
                return
            try:
                self._look()
            except EngineUnreachableError:
                continue
            except InspectorError as error:
                self._tell(str(error))

    def _look(self) -> None:
        engine = self._engine
        containers = engine.containers()
        networks = tuple(each.network for each in engine.networks(containers))
        if self._wanted is None:
            self._wanted = find(self.words, containers, networks)
        else:
            self._wanted = find_again(self.words, self._wanted, containers, networks)
        with Stacks() as stacks:
            # Every port of the host's, where the host itself is captured.
            extent = Extent() if self._wanted.host else None
            topology = survey(engine, stacks, looked_into(self._wanted, containers, networks), extent=extent)
            points = points_of(topology, self._wanted, passive=self._passive)
            self._put(self._differences(topology, points, stacks))

    def _differences(self, topology: Topology, points: tuple[CapturePoint, ...], stacks: Stacks) -> list[Item]:
        inodes = {each.id: each.inode for each in topology.sandboxes}
        here = {(inodes[each.sandbox], each.link.ifindex): each for each in points}
        with self._lock:
            left, new = self._known - set(here), [each for each in here if each not in self._known]
            self._rings = {key: size for key, size in self._rings.items() if key in here and key not in new}
            new, shape = self._share_out(new)
            self._known = (self._known & set(here)) | set(new)
        items: list[Item] = [Named(names_of(topology)), *(Gone(key) for key in left)]
        processes = {
            each.sandbox: stacks.processes[each.name]
            for each in topology.containers
            if each.name in stacks.processes and each.sandbox not in {None, HOST}
        }
        by_stack: dict[SandboxId, list[PointKey]] = {}
        for key in new:
            by_stack.setdefault(here[key].sandbox, []).append(key)
        for sandbox, keys in by_stack.items():
            opening = (
                partial(PointTap, key[1], self._program, promiscuous=here[key].promiscuous, shape=shape) for key in keys
            )
            found = netns.enter(stacks.namespaces[sandbox].fd, partial(_opened, tuple(opening)))
            for key, tap in zip(keys, found, strict=True):
                if isinstance(tap, PointTap):
                    described = self._described(interface_at(topology, here[key]))
                    pidfd = os.dup(processes[sandbox]) if sandbox in processes else None
                    items.append(Arrived(key, described, tap, pidfd))
                    self._rings[key] = shape.size
                else:
                    self._tell(f"cannot listen at {here[key]}: {tap}")
        return items

    def _share_out(self, new: list[PointKey]) -> tuple[list[PointKey], Shape]:
        """Return the points that there is memory for, and the shape of their rings; say it where those are small."""
        count, shape = share_out(len(new), sum(self._rings.values()))
        if count and shape.size < MOST_PER_POINT:
            self._tell(f"memory is shared: a ring of {shape.size / (1 << 20):.1f} MiB for each of {count} points")
        refused, before = set(new[count:]), self._refused
        self._refused = refused
        if refused - before:
            self._tell(
                f"{len(refused)} points are not captured: the rings of others take the {MOST_MEMORY >> 20} MiB "
                "that there are for all"
            )
        return new[:count], shape


def _opened(opening: Iterable[Callable[[], PointTap]]) -> list[PointTap | str]:
    return list(_each_opened(opening))


def _each_opened(opening: Iterable[Callable[[], PointTap]]) -> Iterator[PointTap | str]:
    for make in opening:
        try:
            yield make()
        except PermissionError as error:
            raise PrivilegeError(CAN_RAW, netns.HINT) from error
        except NoEthernetError as error:
            yield str(error)
        except OSError as error:
            yield error.strerror or str(error)
