"""`make fuzz`: all that tries strangers' bytes and texts, again and again, each round from another seed."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
WITHOUT_HYPOTHESIS = ["tests/fuzz", "tests/hostile", "tests/archive/test_mutations.py", "tests/test_capture_fuzz.py"]
LIVE = ("docker", "kernel", "podman")


def places() -> list[str]:
    """Name the tests that damage files, and all that ask hypothesis for examples."""
    files = (each.relative_to(ROOT) for each in (ROOT / "tests").rglob("test_*.py"))
    asking = (str(each) for each in files if each.parts[1] not in LIVE and "@given" in (ROOT / each).read_text())
    return sorted({*WITHOUT_HYPOTHESIS, *(each for each in asking if not each.startswith(tuple(WITHOUT_HYPOTHESIS)))})


def main(minutes: float, seed: int) -> int:
    """Begin rounds until the time is over or one has failed."""
    words = [sys.executable, "-m", "pytest", "-q", "-x", "-n", str(os.cpu_count() or 1), "-o", "timeout=600", *places()]
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        print(f"seed {seed}", flush=True)
        environment = {**os.environ, "DNETSNIFF_FUZZ_SEED": str(seed)}
        seeds = [f"--hypothesis-seed={seed}", "-p", "no:cacheprovider"]
        status = subprocess.run([*words, *seeds], cwd=ROOT, env=environment, check=False).returncode
        if status:
            print(f"once more: make fuzz SEED={seed}")
            return status
        seed += 1
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(float(given[0]), int(given[1]) if len(given) > 1 else int(time.time())))
