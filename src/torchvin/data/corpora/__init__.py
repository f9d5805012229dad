"""Webs of pages: loaders, their words as numbers, and queries about them."""
