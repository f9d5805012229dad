"""How long a call takes."""

import statistics
import time
from collections.abc import Callable


def median_seconds(run: Callable[[], object], *, least_seconds: float = 0.1, least_calls: int = 3) -> float:
    """Median time of a call, after one to warm up: of at least `least_calls` calls and `least_seconds` in all.

    >>> median_seconds(lambda: None, least_seconds=0.001) < 0.001
    True
    """
    run()
    times: list[float] = []
    while len(times) < least_calls or sum(times) < least_seconds:
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
