"""Find out whose rules a lookup follows: which libc's loader lies below a root. Nothing there is executed."""

from fnmatch import fnmatchcase

from inspector.discover.beneath import Refusal, Root, identify, list_names
from inspector.model.lookup import Libc
from inspector.model.sentence import say
from inspector.model.text import safe

_MUSL = "ld-musl-*.so.1"
_GLIBC = ("ld-linux*.so.*", "ld64.so.*")
"""ld.so(8); `ld64.so` on PowerPC and s390x."""
_GLIBC_LIBRARY = "libc.so.6"
_MOST = 16
"""Most directories of one kind looked into."""


def find_libc(root: Root | Refusal) -> tuple[Libc, str]:
    """Return whose resolver a program below this root has, and what says so."""
    if isinstance(root, Refusal):
        return Libc.GLIBC, say("assumed: {why}", why=root.why)
    listed = _listed(root)
    musl = _first(listed, _MUSL)
    glibc = _first(listed, *_GLIBC)
    if musl and glibc:
        return _of_two(root, tuple(listed), musl, glibc)
    if musl:
        return Libc.MUSL, say("{loader} is there", loader=safe(musl))
    if glibc:
        return Libc.GLIBC, say("{loader} is there", loader=safe(glibc))
    return Libc.GLIBC, say("assumed: there is no dynamic loader in /lib or /lib64, as in an image of static programs")


def _listed(root: Root) -> dict[str, tuple[str, ...]]:
    """List the directories a loader may lie in: /lib, /lib64, /usr/lib, and Debian's one for each architecture."""
    found: dict[str, tuple[str, ...]] = {}
    for parent in ("", "/usr"):
        for name in _matching(list_names(root, parent or "/"), "lib*"):
            place = f"{parent}/{name}"
            found[place] = list_names(root, place)
    for place in tuple(found):
        for name in _matching(found[place], "*-linux-gnu*"):
            found[f"{place}/{name}"] = list_names(root, f"{place}/{name}")
    return found


def _first(listed: dict[str, tuple[str, ...]], *patterns: str) -> str | None:
    for place, names in listed.items():
        for pattern in patterns:
            for name in _matching(names, pattern):
                return f"{place}/{name}"
    return None


def _matching(names: tuple[str, ...], pattern: str) -> list[str]:
    return sorted(name for name in names if fnmatchcase(name, pattern))[:_MOST]


def _of_two(root: Root, places: tuple[str, ...], musl: str, glibc: str) -> tuple[Libc, str]:
    """Decide where both loaders are: Alpine puts names of glibc on musl, Debian has a package with musl's loader."""
    own = identify(root, musl)
    for place in places:
        library = identify(root, f"{place}/{_GLIBC_LIBRARY}")
        if library is not None and library != own:
            return Libc.GLIBC, say(
                "{loader} and {library} are there, beside {other}",
                loader=safe(glibc),
                library=f"{safe(place)}/{_GLIBC_LIBRARY}",
                other=safe(musl),
            )
    return Libc.MUSL, say(
        "{loader} is there, and {other} without a {library} of its own",
        loader=safe(musl),
        other=safe(glibc),
        library=_GLIBC_LIBRARY,
    )
