"""The course: lessons that ask real questions, on the live lab or of shipped recordings, and say what to look at."""
