"""Seeds of the generators: one number or several, never negative."""

from collections.abc import Sequence

import numpy as np

from torchvin.errors import InputError


def generator(seed: int | Sequence[int]) -> np.random.Generator:
    """NumPy's PCG64 from a seed of one number or several.

    Raises: InputError for a negative seed.

    >>> bool(generator((1, 0)).integers(10) == generator((1, 0)).integers(10))
    True
    """
    if min(seed if isinstance(seed, Sequence) else (seed,)) < 0:
        raise InputError(f"a seed must not be negative, got {seed}.")
    return np.random.default_rng(seed)
