"""Talk: one file for each command."""
