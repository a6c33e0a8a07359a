"""By which seeds strangers' bytes are tried, and how many: a few in `make test`, all there are in `make fuzz`."""

import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("DNETSNIFF_FUZZ_SEED", "0"))
"""What every random choice begins from; a failure is made again by the same one."""
LONG = "DNETSNIFF_FUZZ_SEED" in os.environ
FOLDERS = sorted(
    each.parent for base in ("tests/worlds", "captures/samples") for each in (ROOT / base).rglob("recording.json")
)
CAPTURES = [each / "frames.pcapng" for each in FOLDERS]


def dice(*words: object) -> random.Random:
    """Return random choices that are the same for the same words and seed, in every process."""
    return random.Random(" ".join(map(str, (SEED, *words))))


def some(several: Sequence[Any], count: int, *words: object) -> list[Any]:
    """Return a few of them; all of them in a long run."""
    return list(several) if LONG else sorted(dice(*words).sample(several, min(count, len(several))))


def named(path: Path) -> str:
    """Return what a recording or capture of ours is called, alike on every machine."""
    return "-".join(path.relative_to(ROOT).parts[1:])
