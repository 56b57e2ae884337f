"""What is compiled."""

import numba


@numba.njit(cache=True)
def twice(number: int) -> int:
    """Two times the number."""
    return 2 * number
