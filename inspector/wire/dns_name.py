"""Read and write domain names, between the wire and the text that people type and `dig` prints.

1. Text holds printable ASCII only: any other byte is an escape (RFC 1035, 5.1; RFC 4343, 2.1). `encode_name` takes
   what was read back to the same bytes.
2. A compression pointer goes back, behind the header and before the labels that led to it, or the name is damaged
   (RFC 1035, 4.1.4: "a prior occurrence"). So no name loops.
3. The names of one message are read within one budget, however often they point at each other.
"""

from collections.abc import Sequence
from ipaddress import ip_address

from msgspec import Struct

from inspector.model.sentence import say

HEADER_LENGTH = 12
"""Bytes before the first name of a message (RFC 1035, 4.1.1)."""
MAX_NAME = 255
"""Bytes on the wire (RFC 1035, 2.3.4)."""
MAX_LABEL = 63
MAX_JUMPS = 64
"""Compression pointers followed for one name."""
MAX_STEPS = 8_192
"""Labels and pointers read for one message; a hundred PTR records of an IPv6 address need 3,700."""

_MAX_TEXT = 4 * MAX_NAME
_POINTER = 0xC0
_SPECIAL = '"$().;@\\'
_DIGITS = 3
_MAX_BYTE = 0xFF


class DamagedError(ValueError):
    """Part of a message is not what it should be; says what, in words."""

    def __init__(self, words: str) -> None:
        """Keep the words as they were said."""
        super().__init__(words)
        self.words = words


class InvalidNameError(ValueError):
    """A name that a user typed has no form on the wire; says why, in one sentence."""


class Names(Struct):
    """Reads the names of one message."""

    message: bytes
    """From its header on: pointers count from there."""
    steps: int = 0
    """Labels and pointers read so far."""

    def read(self, start: int) -> tuple[list[bytes], int]:
        """Return the labels of the name at this byte, and where the bytes behind it start; raise DamagedError."""
        labels: list[bytes] = []
        at = run = start
        behind = None
        jumps, length = 0, 1
        while size := self._size(at):
            if size >= _POINTER:
                behind = behind or at + 2
                at = run = self._target(at, run)
                jumps += 1
            else:
                labels.append(self._label(at, size))
                at += 1 + size
                length += 1 + size
            if jumps > MAX_JUMPS:
                raise DamagedError(say("a name of more than {count} compression pointers", count=MAX_JUMPS))
            if length > MAX_NAME:
                raise DamagedError(say("a name of more than {count} bytes", count=MAX_NAME))
        return labels, behind or at + 1

    def _size(self, at: int) -> int:
        """Return what the byte at the start of a label says, and count it."""
        if self.steps == MAX_STEPS:
            raise DamagedError(say("more than {count} labels", count=MAX_STEPS))
        self.steps += 1
        if at >= len(self.message):
            raise DamagedError(say("cut off"))
        return self.message[at]

    def _target(self, at: int, run: int) -> int:
        if at + 2 > len(self.message):
            raise DamagedError(say("cut off"))
        target = int.from_bytes(self.message[at : at + 2], "big") & 0x3FFF
        if not HEADER_LENGTH <= target < run:
            raise DamagedError(say("a compression pointer to byte {target}, where no earlier name is", target=target))
        return target

    def _label(self, at: int, size: int) -> bytes:
        if size > MAX_LABEL:
            raise DamagedError(say("a label of an unknown kind, {size:#04x}", size=size))
        label = self.message[at + 1 : at + 1 + size]
        if len(label) < size:
            raise DamagedError(say("cut off"))
        return label


def name_text(labels: Sequence[bytes]) -> str:
    """Write a name as `dig` does, but without the trailing dot; the root is `.`."""
    return ".".join(_label_text(label) for label in labels) or "."


def absolute_text(labels: Sequence[bytes]) -> str:
    """Write a name as `dig` does, with the trailing dot."""
    return "".join(f"{_label_text(label)}." for label in labels) or "."


def encode_name(name: str) -> bytes:
    r"""Return the wire form of a name that a user typed (RFC 1035, 3.1), its case kept; raise InvalidNameError.

    A trailing dot changes nothing, `.` is the root, `\.` and `\DDD` are bytes of a label (RFC 1035, 5.1), and a label
    with other than ASCII characters becomes an A-label (RFC 3490, 4.1).
    """
    if not name or len(name) > _MAX_TEXT:
        raise InvalidNameError(f"a name has 1 to {MAX_NAME} bytes")
    if name == ".":
        return b"\0"
    typed = _split(name)
    if not typed[-1]:
        typed.pop()
    labels: list[bytes] = []
    for label in typed:
        labels.extend([_unescape(label)] if label.isascii() else _a_labels(label))
    for raw in labels:
        if not 1 <= len(raw) <= MAX_LABEL:
            raise InvalidNameError(f"each part of a name between its dots has 1 to {MAX_LABEL} bytes, not {len(raw)}")
    encoded = b"".join(bytes((len(raw),)) + raw for raw in labels) + b"\0"
    if len(encoded) > MAX_NAME:
        raise InvalidNameError(f"a name has at most {MAX_NAME} bytes on the wire, not {len(encoded)}")
    return encoded


def printable_name(name: str) -> str:
    r"""Return a name so that a recording can hold it: `\DDD` for what is not printable (RFC 4343, 2.1).

    Both ask for the same bytes. One without a form on the wire stays as it is.
    """
    if name.isprintable():
        return name
    try:
        encoded = encode_name(name)
    except InvalidNameError:
        return name
    labels, _behind = Names(bytes(HEADER_LENGTH) + encoded).read(HEADER_LENGTH)
    rooted = name.endswith(".") and not name.endswith("\\.")
    return absolute_text(labels) if rooted else name_text(labels)


def reverse_name(address: str) -> str:
    """Return where the name of an address is looked up (RFC 1035, 3.5; RFC 3596, 2.5); ValueError where it is none."""
    return ip_address(address.partition("%")[0]).reverse_pointer


def _label_text(label: bytes) -> str:
    return "".join(_byte_text(byte) for byte in label)


def _byte_text(byte: int) -> str:
    r"""Escape as BIND does, which takes `@` and `$` as special too."""
    character = chr(byte)
    if character in _SPECIAL:
        return f"\\{character}"
    return character if "!" <= character <= "~" else f"\\{byte:03}"


def _split(name: str) -> list[str]:
    """Split at the dots that no backslash makes part of a label."""
    labels, escaped = [""], False
    for character in name:
        if character == "." and not escaped:
            labels.append("")
        else:
            labels[-1] += character
        escaped = character == "\\" and not escaped
    return labels


def _unescape(label: str) -> bytes:
    raw, at = bytearray(), 0
    while at < len(label):
        if label[at] != "\\":
            byte, length = ord(label[at]), 1
        else:
            byte, length = _escape(label[at + 1 : at + 1 + _DIGITS])
        raw.append(byte)
        at += length
    return bytes(raw)


def _escape(behind: str) -> tuple[int, int]:
    """Return the byte that an escape stands for, and the length of both; `behind` is what follows the backslash."""
    if behind and not behind[0].isdigit():
        return ord(behind[0]), 2
    if len(behind) == _DIGITS and behind.isdigit() and int(behind) <= _MAX_BYTE:
        return int(behind), 1 + _DIGITS
    raise InvalidNameError("a backslash in a name is followed by three digits up to 255, or by no digit")


def _a_labels(label: str) -> list[bytes]:
    """Encode by the codec, which takes three more characters for dots (RFC 3490, 3.1): hence the list."""
    if "\\" in label:
        raise InvalidNameError("a part of a name holds either escapes or other than ASCII characters, not both")
    try:
        return label.encode("idna").split(b".")
    except UnicodeError as error:
        raise InvalidNameError("a part of a name is neither ASCII nor an international name (RFC 3490)") from error
