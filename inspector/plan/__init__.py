"""Decide: which points to watch, which probes to send, and what to expect. Pure."""
