"""One pass over the frames of a capture file: what can be known without a topology, in memory that does not grow."""
