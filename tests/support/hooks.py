"""Whether the tests run with the type hook (--jaxtyping-packages), which wraps functions and records."""

import sys

import pytest

TYPE_HOOK = any("jaxtyping" in type(finder).__module__ for finder in sys.meta_path)

#: For tests of tools that read the source of what they are given.
without_type_hook = pytest.mark.skipif(TYPE_HOOK, reason="compilers cannot see through the type hook")
