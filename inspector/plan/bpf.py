"""Write classic BPF programs: instructions with names for jump targets (linux/filter.h; McCanne and Jacobson, 1993).

1. A name in `goto` means a later `label`; jumps only go forward, so every program ends.
2. 802.1Q tags do not shift the offsets: the kernel takes them out before a packet socket sees the frame.
3. A load beyond the end of the frame refuses it.
"""

import struct
from collections.abc import Iterable
from typing import NamedTuple, Self

from msgspec import Struct, field

SNAPSHOT = 0x40000
"""What an accepting program returns: the number of bytes to keep, which is all of them."""

LOAD_WORD, LOAD_HALF, LOAD_BYTE = 0x20, 0x28, 0x30
"""BPF_LD | BPF_ABS with BPF_W, BPF_H, BPF_B"""
LOAD_WORD_AT_X, LOAD_HALF_AT_X, LOAD_BYTE_AT_X = 0x40, 0x48, 0x50
"""BPF_LD | BPF_IND"""
LOAD_X_IP_HEADER_LENGTH = 0xB1
"""BPF_LDX | BPF_MSH | BPF_B: four times the lower half of the byte"""
LOAD_X = 0x01
"""BPF_LDX | BPF_IMM: the number itself"""
_JUMP, _JUMP_EQUAL, _JUMP_BITS = 0x05, 0x15, 0x45
"""BPF_JMP with BPF_JA, BPF_JEQ, BPF_JSET"""
_AND = 0x54
"""BPF_ALU | BPF_AND | BPF_K"""
_RETURN = 0x06


class Instruction(NamedTuple):
    """One `struct sock_filter` (linux/filter.h)."""

    code: int
    jt: int
    jf: int
    k: int


def pack(instructions: Iterable[Instruction]) -> bytes:
    """Write the program as SO_ATTACH_FILTER reads it: native `struct sock_filter { u16 code; u8 jt, jf; u32 k; }`."""
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


class Assembly(Struct):
    """Instructions with names for jump targets; every far jump is a BPF_JA, whose offset has 32 bits."""

    lines: list[tuple[Instruction, str | None]] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)

    def load(self, code: int, offset: int) -> Self:
        """Load from an offset into the accumulator, or (LOAD_X...) into X."""
        self.lines.append((Instruction(code, 0, 0, offset), None))
        return self

    def keep(self, bits: int) -> Self:
        """Keep only these bits of the accumulator."""
        self.lines.append((Instruction(_AND, 0, 0, bits), None))
        return self

    def when(self, values: Iterable[int], label: str) -> Self:
        """Go to the label where the accumulator is one of these."""
        for value in values:
            self.lines.append((Instruction(_JUMP_EQUAL, 0, 1, value), None))
            self.jump(label)
        return self

    def unless(self, value: int, label: str) -> Self:
        """Go to the label where the accumulator is something else."""
        self.lines.append((Instruction(_JUMP_EQUAL, 1, 0, value), None))
        return self.jump(label)

    def when_any(self, bits: int, label: str) -> Self:
        """Go to the label where any of the bits is set."""
        self.lines.append((Instruction(_JUMP_BITS, 0, 1, bits), None))
        return self.jump(label)

    def jump(self, label: str) -> Self:
        """Go to the label."""
        self.lines.append((Instruction(_JUMP, 0, 0, 0), label))
        return self

    def label(self, label: str) -> Self:
        """Name the next instruction."""
        self.labels[label] = len(self.lines)
        return self

    def finish(self) -> tuple[Instruction, ...]:
        """End with both outcomes (falling off the last line accepts) and turn the names into distances."""
        self.label("accept").load(_RETURN, SNAPSHOT).label("reject").load(_RETURN, 0)
        return tuple(
            instruction if label is None else instruction._replace(k=self.labels[label] - position - 1)
            for position, (instruction, label) in enumerate(self.lines)
        )
