"""A machine for classic BPF, so that programs can be judged without a kernel."""

from collections.abc import Sequence

from inspector.plan.bpf import Instruction


def judge(instructions: Sequence[Instruction], data: bytes) -> int:
    """Run classic BPF as Documentation/networking/filter.rst tells it."""
    at, accumulator, index = 0, 0, 0
    while True:
        code, jt, jf, k = instructions[at]
        at += 1
        if code == 0x06:
            return k
        if code == 0x05:
            at += k
        elif code == 0x15:
            at += jt if accumulator == k else jf
        elif code == 0x45:
            at += jt if accumulator & k else jf
        elif code == 0x54:
            accumulator &= k
        elif code == 0x01:
            index = k
        else:
            offset = k + (index if code in {0x40, 0x48, 0x50} else 0)
            width = {0x20: 4, 0x28: 2, 0x30: 1, 0x40: 4, 0x48: 2, 0x50: 1, 0xB1: 1}[code]
            if offset + width > len(data):
                return 0
            value = int.from_bytes(data[offset : offset + width], "big")
            if code == 0xB1:
                index = 4 * (value & 0xF)
            else:
                accumulator = value
