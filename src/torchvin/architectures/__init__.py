"""Architectures: one file each, with its configuration, its builder and its paper's numbers."""
