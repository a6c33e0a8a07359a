"""dnetsniff: show what a Docker network does to a packet."""

__version__ = "0.1.0"
