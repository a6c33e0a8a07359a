"""Tracepoints are found through a mount of nobody's, and events are tied to descriptors."""

import errno
from pathlib import Path

import pytest
from lab import descriptors

from inspector import tracing
from inspector.tracing import TraceEvent, TraceRing, TracingError, drop_tracepoints, online_cpus, read_tracepoints

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize(("text", "cpus"), [("0\n", (0,)), ("0-3\n", (0, 1, 2, 3)), ("0-1,4,6-7", (0, 1, 4, 6, 7))])
def test_cpus_are_counted(text: str, cpus: tuple[int, ...]) -> None:
    assert online_cpus(text) == cpus


def test_this_kernel_gives_reasons() -> None:
    freed, received = drop_tracepoints()
    assert {"skbaddr", "location", "protocol", "reason"} <= set(freed.fields)
    assert "NETFILTER_DROP" in freed.symbols["reason"].values()
    assert {"skbaddr", "len", "name"} <= set(received.fields)


def test_nothing_is_mounted_and_nothing_left_open() -> None:
    mounts, open_before = Path("/proc/mounts").read_text(), descriptors()
    drop_tracepoints()
    assert Path("/proc/mounts").read_text() == mounts
    assert descriptors() == open_before


def test_a_tracepoint_that_is_not_there_is_said() -> None:
    with pytest.raises(TracingError, match="does not tell about it"):
        read_tracepoints(("skb/no_such_thing",))


def test_where_a_mount_is_refused_the_mounted_one_is_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse() -> int:
        raise PermissionError(errno.EPERM, "no")

    folder = tmp_path / "events/skb/kfree_skb"
    folder.mkdir(parents=True)
    (folder / "format").write_text("ID: 7\n")
    monkeypatch.setattr(tracing, "_detached", refuse)
    monkeypatch.setattr(tracing, "MOUNTED", tmp_path)
    assert read_tracepoints(("skb/kfree_skb",))["skb/kfree_skb"].id == 7
    with pytest.raises(TracingError, match="this kernel does not tell"):
        drop_tracepoints()
    monkeypatch.setattr(tracing, "MOUNTED", tmp_path / "nowhere")
    with pytest.raises(TracingError, match="tracefs cannot be read"):
        read_tracepoints(("skb/kfree_skb",))


def test_without_reasons_the_first_kernel_with_them_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    freed, received = drop_tracepoints()
    old = {tracing.FREED: tracing.Tracepoint(freed.id), tracing.RECEIVED: received}
    monkeypatch.setattr(tracing, "read_tracepoints", lambda _: old)
    with pytest.raises(TracingError, match=r"Linux 5\.17"):
        drop_tracepoints()


def test_a_machine_whose_calls_are_not_known_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing.platform, "machine", lambda: "pdp11")
    with pytest.raises(TracingError, match="pdp11"):
        TraceEvent(1, 0)


def test_an_event_that_is_not_there_is_refused() -> None:
    with pytest.raises(TracingError, match="perf events are refused"):
        TraceEvent(0xFFFF_FFFF, online_cpus()[0])


def test_a_ring_is_read_over_its_end() -> None:
    freed, _ = drop_tracepoints()
    event = TraceEvent(freed.id, online_cpus()[0])
    ring = TraceRing(event, 1)
    ring.close()
    event.close()
    size = tracing.mmap.PAGESIZE
    ring._memory = memory = bytearray(size) + bytearray(range(256)) * (size // 256)
    tracing._POSITION.pack_into(memory, tracing._TAIL, size - 2)
    tracing._POSITION.pack_into(memory, tracing._HEAD, size + 3)
    assert ring.take() == bytes((254, 255, 0, 1, 2))
    assert ring.take() == b""
