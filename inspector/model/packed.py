"""A recording on its way into a folder."""

from msgspec import Struct


class Packed(Struct, frozen=True):
    """Both files of a recording, ready to be written."""

    document: bytes
    blocks: tuple[bytes, ...]
    """Of the pcapng."""
    ahead: int
    """How many of them stand before the frames."""
    frames: int
