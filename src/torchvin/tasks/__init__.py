"""Tasks: a domain as the trainer sees it, one file each."""
