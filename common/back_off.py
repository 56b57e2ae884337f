"""Exponential back-off: the waits between attempts of failing work, up to a maximum."""

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class BackOff:
    """The waits of one piece of work, in the unit of `first` and `most`.

    factor: how many times longer each wait is than the one before.
    jitter: a wait is multiplied by a random number from this range, so that processes that failed
    together do not try again together. Needs `rng`; without it waits are as computed.
    """

    first: float
    most: float
    factor: float = 2.0
    jitter: tuple[float, float] = (1.0, 1.0)
    rng: random.Random | None = None
    _next: float = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rng is None and self.jitter != (1.0, 1.0):
            raise ValueError("a jitter needs a source of random numbers")
        self._next = self.first

    def next(self) -> float:
        """How long to wait now, after one more failure."""
        wait = self._next
        self._next = min(wait * self.factor, self.most)
        return wait if self.rng is None else wait * self.rng.uniform(*self.jitter)

    def reset(self) -> None:
        """Note a success: after the next failure the first wait is used again."""
        self._next = self.first
