"""Experts: exact shortest paths and demonstrations."""
