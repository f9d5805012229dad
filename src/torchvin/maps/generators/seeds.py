"""Seeds of the generators: one number or several."""

from collections.abc import Sequence

import numpy as np

from torchvin.errors import InputError


def generator(seed: int | Sequence[int]) -> np.random.Generator:
    """NumPy's PCG64 from a seed of one number or several.

    NumPy splits larger numbers into words of 32 bits, so 2^32 + 5 would be the seed (5, 1), another stream of seed 5.

    Raises: InputError for a number below 0 or from 2^32 on.

    >>> bool(generator((1, 0)).integers(10) == generator((1, 0)).integers(10))
    True
    """
    numbers = seed if isinstance(seed, Sequence) else (seed,)
    if min(numbers) < 0:
        raise InputError(f"a seed must not be negative, got {seed}.")
    if max(numbers) >= 2**32:
        raise InputError(f"a seed must be below 2^32 = {2**32}, got {seed}.")
    return np.random.default_rng(seed)
