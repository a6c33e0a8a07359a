"""Find an image that stays up: one that is there, one made from the host's static busybox, or one of a registry."""

import io
import json
import struct
import tarfile
from pathlib import Path

from inspector.discover.engine import Engine
from inspector.errors import DepartedError, InspectorError, UsageError
from inspector.lab.layout import IMAGE_LABEL

REPOSITORY = "dnetsniff-lab"
OWN = f"{REPOSITORY}:busybox"
BARE = f"{REPOSITORY}:bare"
"""An image of one program and no tool: no shell, no `ip`, no `ping`."""
SMALL = ("busybox:latest", "alpine:latest")
"""Images taken if they are there already."""
PULLED = "busybox"
PULL_TIMEOUT_S = 5
FOREVER = ("sleep", "2147483647")
APPLETS = ("sh", "sleep", "ping", "ip", "nslookup", "hostname", "wget")
BUSYBOX = Path("/bin/busybox")
PT_INTERP = 3
"""elf(5): a program header of this type names a dynamic loader."""


def find_image(engine: Engine, asked: str | None) -> tuple[str, tuple[str, ...] | None]:
    """Return an image and the command to run in it; None is the image's own command."""
    if asked is not None:
        if not asked.strip() or not _is_present(engine, asked):
            raise UsageError(f"there is no image {asked!r} on this engine", f"get it first: docker pull {asked}")
        return asked, None
    for name in (*SMALL, OWN):
        if _is_present(engine, name):
            return name, FOREVER
    # What is on this machine comes before a registry: it is there at once, and asking a registry tells others.
    program = BUSYBOX.read_bytes() if BUSYBOX.exists() else b""
    if is_static(program):
        _make(engine, image_tree(program), OWN)
        return OWN, FOREVER
    if _is_pulled(engine):
        return f"{PULLED}:latest", FOREVER
    raise UsageError(
        "no image for the lab: none is here, this host has no static busybox, and none can be pulled",
        "name an image that stays up with --image, or `apt-get install busybox-static`",
    )


def make_bare(engine: Engine) -> tuple[str, tuple[str, ...]] | None:
    """Make the image without tools; return its name and command, or None where this host has no program for it."""
    program = BUSYBOX.read_bytes() if BUSYBOX.exists() else b""
    if not is_static(program):
        return None
    if not _is_present(engine, BARE):
        _make(engine, bare_tree(program), BARE)
    return BARE, FOREVER


def remove_own(engine: Engine) -> bool:
    """Remove the images that were made here, if they are there and nothing else uses them; say whether one was."""
    removed = [_remove(engine, each) for each in (OWN, BARE)]
    return any(removed)


def _remove(engine: Engine, name: str) -> bool:
    with engine.calls():
        if not engine.api.images(name=name, filters={"label": IMAGE_LABEL}):
            return False
        if engine.api.containers(all=True, filters={"ancestor": name}):
            return False
        engine.api.remove_image(name)
    return True


def is_static(program: bytes) -> bool:
    """Whether an ELF program needs no dynamic loader (elf(5): Elf64_Ehdr, Elf64_Phdr)."""
    if len(program) < 64 or program[:5] != b"\x7fELF\x02":  # noqa: PLR2004 - the size of Elf64_Ehdr
        return False
    (start,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    headers = (start + number * size for number in range(count))
    return all(struct.unpack_from("<I", program, each)[0] != PT_INTERP for each in headers if each + 4 <= len(program))


def _is_present(engine: Engine, name: str) -> bool:
    try:
        with engine.calls():
            engine.api.inspect_image(name)
    except DepartedError:
        return False
    return True


def _is_pulled(engine: Engine) -> bool:
    """Try the registry, shortly: most machines of a course have none."""
    patience, engine.api.timeout = engine.api.timeout, PULL_TIMEOUT_S
    try:
        with engine.calls():
            engine.api.pull(PULLED, tag="latest")
    except InspectorError:
        return False
    finally:
        engine.api.timeout = patience
    return _is_present(engine, f"{PULLED}:latest")


def _make(engine: Engine, tree: bytes, name: str) -> None:
    repository, _, tag = name.partition(":")
    with engine.calls():
        engine.api.import_image_from_data(
            tree,
            repository=repository,
            tag=tag,
            changes=[f"LABEL {IMAGE_LABEL}=made", f"CMD {json.dumps(FOREVER)}"],
        )


def image_tree(program: bytes) -> bytes:
    """Return the file system of the image as a tar archive: busybox and the names it answers to."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tree:
        for folder in ("bin", "etc", "proc", "sys", "tmp"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tree.addfile(entry)
        _add_program(tree, "bin/busybox", program)
        for name in APPLETS:
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tree.addfile(entry)
    return buffer.getvalue()


def bare_tree(program: bytes) -> bytes:
    """Return the file system of the image without tools: busybox under the one name that it waits by."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tree:
        _add_program(tree, f"bin/{FOREVER[0]}", program)
    return buffer.getvalue()


def _add_program(tree: tarfile.TarFile, path: str, program: bytes) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(program), 0o755
    tree.addfile(entry, io.BytesIO(program))
