"""Show: one file for each format, each with one function. Pure."""
