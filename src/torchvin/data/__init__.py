"""Data sets of maps."""
