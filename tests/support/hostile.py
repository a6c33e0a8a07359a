"""What a stranger writes where a name is asked for, put into every text and every frame of a value."""

import random
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from ipaddress import ip_address, ip_interface
from typing import Any

import msgspec
from msgspec import Struct

HOSTILE = (
    "e\x1b[2Jth\x07",
    "\x1b]8;;http://a.example\x07here\x1b]8;;\x07",
    "\x1b]0;title\x1b\\\x1b[?1049h",
    "\x9b31mred\x9d0;title\x9c",
    "\u202egpj.exe\u202c",
    "\u2066left\u2067right\u2069",
    "\u200fmark\u061c\u200b\ufeff",
    "one\ntwo\r\nthree\rfour\x0b\x0c\x85",
    "\u2028line\u2029",
    "nul\x00del\x7f\x08\x08\x08",
    "\ud800\udcff\U000e0041",
    "[bold red]loud[/bold red] [link=http://a.example]here[/link] :bomb:",
    "<img src=x onerror=alert(1)>&amp;",
    "=cmd|'/c calc'!A0",
    "../../../etc/passwd",
    "`rm -rf /` $(id) ; | & > \"quoted\" 'single'",
    "{0.__class__} {source} {} %s %n %(x)s \\x1b \\u202e",
    "| a | ```b``` *c* _d_ [e](f)",
    "q" + "\u0301" * 400,
    "漢字" * 50,
    "",
    " ",
    "long" * 2_500,
)
"""Escapes of terminals, characters that turn the writing, markup of every kind, and what is far too long."""

PLAIN_ASCII = {"\n"}
NEVER = tuple(
    each.encode("utf-8", "surrogatepass") for each in ("\x1b[2J", "\x1b]8;;", "\x9b31m", "\u202e", "\u2066", "\u2028")
)
"""Bytes that no file for people may hold."""


def obeyed(text: str) -> str:
    """Return what a terminal could obey in a text that may have several lines; nothing, where all is well."""
    return "".join(sorted({each for each in text if not (each.isprintable() or each in PLAIN_ASCII)}))


def texts(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text in a value of any kind, with the place it stands at."""
    if isinstance(value, Enum):
        return
    if isinstance(value, str):
        yield where, str(value)
    elif isinstance(value, Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name), f"{where}.{name}")
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from texts(key, f"{where}.key")
            yield from texts(each, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple | set | frozenset):
        for number, each in enumerate(value):
            yield from texts(each, f"{where}[{number}]")


def harmful(value: Any) -> list[tuple[str, str]]:
    """Return the texts in a value that a terminal could obey."""
    return [(where, text) for where, text in texts(value) if not text.isprintable()]


def unquoted(line: str) -> str:
    """Return what a shell would act on in a command of ours beside its words, quotes, and `$(docker inspect ...)`."""
    bare = re.sub(r"'[^']*'", "", line.partition("   # ")[0])
    bare = re.sub(r"\$\((docker|podman)? inspect", "", bare)
    return "".join(re.findall(r"[`;|&<>]|\$\(", bare))


class Poison:
    """Puts hostile text in the place of text: for equal texts the same, so that what belongs together still does."""

    def __init__(
        self, seed: object, *, share: float = 1.0, addresses: bool = False, texts: tuple[str, ...] = HOSTILE
    ) -> None:
        """Change this share of the texts; those that are addresses only where it is wanted."""
        self._texts = texts
        self._dice = random.Random(str(seed))
        self._share, self._addresses = share, addresses
        self._known: dict[str, str] = {}

    def value(self, value: Any) -> Any:
        """Return the same kind of value with hostile texts and damaged bytes in it."""
        match value:
            case Enum():
                return value
            case str():
                return self.text(value)
            case bytes():
                return self.damaged(value)
            case Struct():
                changed = {name: self.value(getattr(value, name)) for name in value.__struct_fields__}
                return msgspec.structs.replace(value, **changed)
            case tuple() | list():
                return type(value)(self.value(each) for each in value)
            case dict():
                return {key: self.value(each) for key, each in value.items()}
            case _:
                return value

    def text(self, text: str) -> str:
        """Return what stands for this text."""
        if text not in self._known:
            self._known[text] = self._other(text)
        return self._known[text]

    def damaged(self, data: bytes, share: float = 0.02) -> bytes:
        """Set this share of the bytes, at least one, to others."""
        changed = bytearray(data)
        for _ in range(max(round(len(data) * share), 1) if data else 0):
            changed[self._dice.randrange(len(changed))] = self._dice.randrange(256)
        return bytes(changed)

    def _other(self, text: str) -> str:
        if self._dice.random() >= self._share or (not self._addresses and _is_address(text)):
            return text
        evil = self._dice.choice(self._texts)
        return self._dice.choice((evil, text + evil, evil + text))


def _is_address(text: str) -> bool:
    readers: tuple[Callable[[str], object], ...] = (ip_address, ip_interface)
    for read in readers:
        try:
            read(text)
        except ValueError:
            continue
        return True
    return False
