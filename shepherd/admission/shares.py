"""Bytes in flight, shared between environments and between the keys of each (I11, I14).

The rule, for a process that may hold T bytes. It counts bytes that are held, never announced ones.

- Each environment has a *share* of T/8. A quarter of that share is only for the small parts of its
  keys: the first T/256 bytes of each key count against it.
- 3T/8 are *common*: whatever an environment holds beyond its share is taken from there, by
  first come, first served.
- 5T/8 are only for shares. So one environment alone holds at most half of T, and however much some
  take, five environments can fill their shares at the same time, and far more can use a part.

An addition is refused only if T or the common part would be exceeded. What follows from that, and
is tested as properties: an environment within its share is refused only while the shares in use
fill 5T/8; a key within its small part only while, besides, its environment's keys fill theirs.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from common.errors import Unavailable

_SHARE: Final = 8  # of T: 16 MiB of 128; a body of 5 MB is held twice, as it came and as lines
_KEYS: Final = 4  # of a share: what large bodies of one key cannot take from the other keys
_KEY: Final = 256  # of T: 512 KiB of 128 MiB, a dozen ordinary batches
_COMMON_EIGHTHS: Final = 3  # of T
_IDLE_KEPT: Final = 1_024  # environments that hold nothing: making them anew costs more than this
NO_ROOM: Final = "too many requests are in flight; try again in a moment"


@dataclass(slots=True)
class _Environment:
    """What an environment holds."""

    held: int = 0  # all its bytes
    small: int = 0  # of its keys' bytes, those within each key's small part
    keys: dict[str, int] = field(default_factory=dict)


class Shares:
    """The bytes that are held, by environment and key (their ids)."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes = 0  # held now, by all
        self._bytes_max = bytes_max
        share = bytes_max // _SHARE
        self._keys = share // _KEYS
        self._key = bytes_max // _KEY
        self._rest = share - self._keys  # of a share: for any of its keys
        self._common_max = bytes_max * _COMMON_EIGHTHS // 8
        self._common = 0
        self._environments: dict[str, _Environment] = {}

    def held_by(self, environment: str) -> int:
        """Bytes that an environment holds."""
        found = self._environments.get(environment)
        return 0 if found is None else found.held

    def fits(self, environment: str, key: str, size: int) -> bool:
        """Whether `size` more bytes would be taken now. Nothing is reserved."""
        if self.bytes + size > self._bytes_max:
            return False
        found = self._environments.get(environment) or _Environment()
        if found.held + size <= self._rest:
            return True
        before = found.keys.get(key, 0)
        small = found.small + min(before + size, self._key) - min(before, self._key)
        more = self._beyond(found.held + size, small) - self._beyond(found.held, found.small)
        return more <= 0 or self._common + more <= self._common_max

    def add(self, environment: str, key: str, size: int) -> None:
        """Count them. Raises Unavailable, and counts nothing, when there is no room."""
        found = self._environments.get(environment)
        if (
            found is not None
            and found.held + size <= self._rest
            and self.bytes + size <= self._bytes_max
        ):  # as nearly always: nothing of the common part is touched
            self._count(found, key, size)
            return
        if not self.fits(environment, key, size):
            raise Unavailable(NO_ROOM)
        self._change(environment, key, size)

    def remove(self, environment: str, key: str, size: int) -> None:
        """Give them back."""
        if not size:
            return
        found = self._environments[environment]
        if found.held <= self._rest:
            self._count(found, key, -size)
        else:
            self._change(environment, key, -size)
        if not found.held and len(self._environments) > _IDLE_KEPT:
            del self._environments[environment]

    def _change(self, environment: str, key: str, size: int) -> None:
        found = self._environments.get(environment)
        if found is None:
            found = self._environments[environment] = _Environment()
        before = self._beyond(found.held, found.small)
        self._count(found, key, size)
        self._common += self._beyond(found.held, found.small) - before

    def _count(self, found: _Environment, key: str, size: int) -> None:
        before = found.keys.get(key, 0)
        after = before + size
        part = self._key
        found.small += (after if after < part else part) - (before if before < part else part)
        found.held += size
        self.bytes += size
        if after:
            found.keys[key] = after
        else:
            found.keys.pop(key, None)  # a body may be empty

    def _beyond(self, held: int, small: int) -> int:
        """What an environment takes of the common part."""
        return max(0, held - min(small, self._keys) - self._rest)


class Held:
    """What one request holds; it is given back together. For use in a `with` block."""

    __slots__ = ("_environment", "_key", "_shares", "bytes")

    def __init__(self, shares: Shares, environment: str, key: str) -> None:
        self._shares = shares
        self._environment = environment
        self._key = key
        self.bytes = 0

    def hold(self, size: int) -> None:
        """Hold `size` more bytes. Raises Unavailable when there is no room."""
        self._shares.add(self._environment, self._key, size)
        self.bytes += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shares.remove(self._environment, self._key, self.bytes)
        self.bytes = 0
