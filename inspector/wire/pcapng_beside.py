"""Read what a pcapng file says beside its frames: interfaces, counters, names, who made it. From anyone.

1. An option that is longer than its block, or more options than anyone writes, is a DamagedError.
2. An option of a wrong length says nothing. Layouts: draft-ietf-opsawg-pcapng, 3.5 and 4.
"""

import struct
from collections.abc import Iterator

from inspector.model.text import safe
from inspector.wire import pcapng
from inspector.wire.captured import Counters, Described
from inspector.wire.ip import ipv4_text, ipv6_text
from inspector.wire.pcapng_reader import Clock

MAX_OPTIONS = 10_000
"""Of one block; a name record counts as one."""
MAX_TEXT = 256
MAX_LABELS = 8
"""Names kept of one address."""

_ISB_OSDROP = 7
_MAX_DECIMAL, _MAX_BINARY, _BINARY_BIT = 9, 63, 0x80
_MICROSECONDS = 6
_OPTION_HEAD = 4
_EIGHT = 8


class DamagedError(ValueError):
    """What the format forbids."""


def options(order: str, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the code and value of each option, to the end mark or the end of the block."""
    start, pair = 0, struct.Struct(order + "HH").unpack_from
    for _ in range(MAX_OPTIONS):
        if len(data) - start < _OPTION_HEAD:
            return
        code, length = pair(data, start)
        if code == 0:
            return
        start += _OPTION_HEAD
        if start + length > len(data):
            raise DamagedError(f"option {code} is longer than its block")
        yield code, data[start : start + length]
        start += length + -length % 4
    raise DamagedError(f"a block with more than {MAX_OPTIONS} options")


def read_section(order: str, body: bytes) -> tuple[str | None, str | None]:
    """Return application and system, as a section header names them."""
    if len(body) < 16:  # noqa: PLR2004 - magic, version, section length
        raise DamagedError("a section header is too short")
    if struct.unpack_from(order + "H", body, 4) != (1,):
        raise DamagedError("this version of the format is not known")
    texts = dict(options(order, body[16:]))
    application, system = texts.get(pcapng.SHB_USERAPPL), texts.get(pcapng.SHB_OS)
    return _text(application) or None, _text(system) or None


def read_interface(order: str, body: bytes) -> tuple[Described, Clock]:
    """Return an interface and how its time stamps are read."""
    if len(body) < _EIGHT:
        raise DamagedError("an interface description is too short")
    link_type, snap_length = struct.unpack_from(order + "HxxI", body)
    told = dict(options(order, body[8:]))
    resolution = (told.get(pcapng.IF_TSRESOL) or bytes((_MICROSECONDS,)))[0]
    exponent = resolution & ~_BINARY_BIT
    if exponent > (_MAX_BINARY if resolution & _BINARY_BIT else _MAX_DECIMAL):
        raise DamagedError(f"timestamps of resolution {resolution:#x} are not known")
    offset = told.get(pcapng.IF_TSOFFSET, b"")
    offset_s = struct.unpack(order + "q", offset)[0] if len(offset) == _EIGHT else 0
    tick_ns = (1_000_000_000 >> exponent) if resolution & _BINARY_BIT else 10 ** (_MAX_DECIMAL - exponent)
    name = _text(told.get(pcapng.IF_NAME))
    described = Described(
        name,
        link_type,
        snap_length,
        tick_ns,
        filtered=bool(told.get(pcapng.IF_FILTER)),
        bridge=told.get(pcapng.IF_HARDWARE) == b"bridge",
    )
    return described, Clock(resolution, offset_s)


def read_counters(order: str, body: bytes) -> tuple[int, Counters]:
    """Return the number of an interface in its section, and what was counted there."""
    if len(body) < 12:  # noqa: PLR2004 - number and time
        raise DamagedError("a statistics block is too short")
    told = dict(options(order, body[12:]))
    lost = [_count(order, told.get(code)) for code in (pcapng.ISB_IFDROP, _ISB_OSDROP)]
    known = [each for each in lost if each is not None]
    return struct.unpack_from(order + "I", body)[0], Counters(
        received=_count(order, told.get(pcapng.ISB_IFRECV)), dropped=max(known) if known else None
    )


def read_names(order: str, body: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each address with its names."""
    lengths = {pcapng.NRB_IPV4: 4, pcapng.NRB_IPV6: 16}
    for kind, value in options(order, body):
        length = lengths.get(kind)
        if length is not None and len(value) > length:
            address = ipv4_text(value) if kind == pcapng.NRB_IPV4 else ipv6_text(value[:16])
            labels = value[length:].split(b"\0", MAX_LABELS)[:MAX_LABELS]
            yield address, tuple(_text(each) for each in labels if each)


def _count(order: str, value: bytes | None) -> int | None:
    if value is None or len(value) != _EIGHT:
        return None
    count: int = struct.unpack(order + "Q", value)[0]
    return count


def _text(raw: bytes | None) -> str:
    return safe((raw or b"")[: 4 * MAX_TEXT], limit=MAX_TEXT)
