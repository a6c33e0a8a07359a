"""Bytes <-> values: what is on the wire and in a capture file, read and written without touching either."""
