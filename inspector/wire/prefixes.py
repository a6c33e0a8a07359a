"""Write an address and its mask as `iptables-save` does."""

from inspector.wire.ip import ipv4_text, ipv6_text

_V4_LENGTH = 4


def address_text(address: bytes) -> str:
    """Write an address of 4 or 16 bytes."""
    return ipv4_text(address) if len(address) == _V4_LENGTH else ipv6_text(address)


def prefix_text(address: bytes, mask: bytes) -> str:
    """Write the address with its prefix length, or with the mask where that is none."""
    length = prefix_length(mask)
    return f"{address_text(address)}/{address_text(mask) if length is None else length}"


def prefix_length(mask: bytes) -> int | None:
    """Count the leading ones of a mask; None where zeros are between them."""
    bits = int.from_bytes(mask, "big")
    length = bits.bit_count()
    whole = len(mask) * 8
    return length if bits == ((1 << length) - 1) << (whole - length) else None


def prefix_mask(length: int, size: int) -> bytes:
    """Return a mask of `size` bytes with so many leading ones."""
    whole = size * 8
    return (((1 << length) - 1) << (whole - length)).to_bytes(size, "big")
