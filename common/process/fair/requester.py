"""Whose fair share of slots and memory some work takes (I14)."""

from typing import NamedTuple


class Requester(NamedTuple):
    """Ids of the environment and of the key that asks."""

    env: str
    key: str


ANONYMOUS = Requester("", "")
