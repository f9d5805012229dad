"""Our networks in other libraries."""
