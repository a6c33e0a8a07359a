"""Read the files that a source's resolver goes by, and say whose they are. What they mean is not decided here.

1. The container's own file is the truth: it is what the container's programs open.
2. The engine's file is asked too: where both are the same inode, nobody has put another in its place.
3. Where the container's cannot be read, the engine's stands in for it, and says why.
"""

from msgspec import Struct

from inspector.discover.beneath import MAX_BYTES, Content, Refusal, Root, read_file
from inspector.discover.engine_answers import ProcessFact
from inspector.discover.libc import find_libc
from inspector.model.lookup import Libc, ResolverFile
from inspector.model.sentence import say
from inspector.model.text import safe

HOSTS, RESOLV_CONF, NSSWITCH = "/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"
LINE_LIMIT = 1024
"""Longest line kept, in characters."""

ENGINES, OWN, HOSTS_OWN = say("the engine's file"), say("the container's own file"), say("the host's file")


class ResolverFiles(Struct, frozen=True):
    """What a source's resolver reads, not yet parsed, and whose rules it follows."""

    hosts: ResolverFile
    resolv_conf: ResolverFile
    nsswitch: ResolverFile
    libc: Libc
    libc_evidence: str


def read_resolver_files(*, own: Root | Refusal, engine: Root | Refusal, process: ProcessFact) -> ResolverFiles:
    """Read a container's files: below its own root, and where the engine keeps them (`engine`: the engine's root)."""
    libc, evidence = find_libc(own)
    return ResolverFiles(
        hosts=_container_file(HOSTS, _read(own, HOSTS), _read(engine, process.hosts_path)),
        resolv_conf=_container_file(RESOLV_CONF, _read(own, RESOLV_CONF), _read(engine, process.resolv_conf_path)),
        nsswitch=_file(NSSWITCH, _read(own, NSSWITCH), OWN),
        libc=libc,
        libc_evidence=evidence,
    )


def read_host_files(root: Root | Refusal) -> ResolverFiles:
    """Read the files of the engine's host itself."""
    libc, evidence = find_libc(root)
    return ResolverFiles(
        hosts=_file(HOSTS, _read(root, HOSTS), HOSTS_OWN),
        resolv_conf=_file(RESOLV_CONF, _read(root, RESOLV_CONF), HOSTS_OWN),
        nsswitch=_file(NSSWITCH, _read(root, NSSWITCH), HOSTS_OWN),
        libc=libc,
        libc_evidence=evidence,
    )


def _read(root: Root | Refusal, path: str) -> Content | Refusal:
    if isinstance(root, Refusal):
        return root
    return read_file(root, path) if path else Refusal(say("there is none"))


def _container_file(path: str, own: Content | Refusal, engines: Content | Refusal) -> ResolverFile:
    if isinstance(own, Refusal):
        if isinstance(engines, Refusal):
            return _file(path, Refusal(say("{own}; the engine's: {engines}", own=own.why, engines=engines.why)), OWN)
        return ResolverFile(
            path=path, lines=_lines(engines), origin=ENGINES, why=say("the container's own: {why}", why=own.why)
        )
    same = isinstance(engines, Content) and engines.identity == own.identity
    return _file(path, own, ENGINES if same else OWN)


def _file(path: str, found: Content | Refusal, origin: str) -> ResolverFile:
    if isinstance(found, Refusal):
        return ResolverFile(path=path, lines=None, origin=origin, why=found.why)
    why = None if found.whole else say("only its first {size} bytes were read", size=MAX_BYTES)
    return ResolverFile(path=path, lines=_lines(found), origin=origin, why=why)


def _lines(content: Content) -> tuple[str, ...]:
    """Make each line harmless. Tabs, which part the words of these files, become blanks: both mean the same there."""
    lines = content.data.split(b"\n")
    if not content.whole:
        lines.pop()  # it may go on where we stopped
    return tuple(safe(line.replace(b"\t", b" "), LINE_LIMIT) for line in lines)
