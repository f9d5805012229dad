"""Scores, published numbers and single paths."""
