"""Internet checksums (RFC 1071) that are as right after a change as they were before it (RFC 1624)."""

_MODULUS = 0xFFFF


def carried_over(checksum: int, before: bytes, after: bytes) -> int:
    """Return the checksum for `after` of one that was written for `before`; wrong by as much as it was.

    Both stand at an even offset and hold the checksum's own field as zeros; what follows them unchanged may be missing.
    """
    return ~reduced((~checksum & _MODULUS) - total(before) + total(after)) & _MODULUS


def total(data: bytes) -> int:
    """Add up words of 16 bits."""
    even = data + b"\0" * (len(data) % 2)
    return sum(int.from_bytes(even[at : at + 2], "big") for at in range(0, len(even), 2))


def is_partial(checksum: int, pseudo: bytes) -> bool:
    """Whether a stack left it for hardware to complete: it is the sum of the pseudo header then."""
    return checksum == reduced(total(pseudo))


def reduced(value: int) -> int:
    """Fold a sum of something other than zeros to 16 bits."""
    return (value - 1) % _MODULUS + 1
