"""Policies on webs of pages: a query, the page where one is, its links."""
