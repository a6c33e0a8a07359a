"""Ask the kernel which rules it filters by, in the namespace the calling thread is in, and change nothing."""
