"""Bytes in flight, shared between environments and between the keys of each (I11, I14).

The rule, for a process that may hold T bytes. Bytes count once they are held, not when announced.

- Each environment has a *share* of T/8. A quarter of that share is only for the small parts of its
  keys: the first T/256 bytes of each key count against it.
- 3T/8 are *common*: bytes that an environment holds beyond its share count against this part,
  first come, first served.
- 5T/8 are only for shares. So one environment alone holds at most half of T, and however much some
  take, five environments can fill their shares at the same time, and far more can use a part.

An addition is refused only if T or the common part would be exceeded. Two properties follow, and
are tested: an environment within its share is refused only while the shares in use fill 5T/8; a key
within its small part is refused only while, in addition, the keys of its environment fill theirs.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from common.errors import Unavailable

_SHARE: Final = 8  # of T: 16 MiB of 128; a body of 5 MB is held twice, as it came and as lines
_KEYS: Final = 4  # of a share: large bodies of one key cannot take this from the other keys
_KEY: Final = 256  # of T: 512 KiB of 128 MiB, a dozen ordinary batches
_COMMON_EIGHTHS: Final = 3  # of T
_IDLE_KEPT: Final = 1_024  # idle environments in memory: creating them again costs more than this
NO_ROOM: Final = "too many requests are in flight; try again in a moment"


@dataclass(slots=True)
class _Environment:
    """The bytes that an environment holds."""

    held: int = 0  # all its bytes
    small: int = 0  # bytes within the small parts of its keys
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
        """Count `size` bytes. Raises Unavailable, and counts nothing, when they do not fit."""
        found = self._environments.get(environment)
        if (
            found is not None
            and found.held + size <= self._rest
            and self.bytes + size <= self._bytes_max
        ):  # the usual case: the common part is not needed
            self._count(found, key, size)
            return
        if not self.fits(environment, key, size):
            raise Unavailable(NO_ROOM)
        self._change(environment, key, size)

    def remove(self, environment: str, key: str, size: int) -> None:
        """Release `size` bytes."""
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
            found.keys.pop(key, None)  # absent after an empty body

    def _beyond(self, held: int, small: int) -> int:
        """Bytes of the common part that an environment takes."""
        return max(0, held - min(small, self._keys) - self._rest)


class Held:
    """The bytes that one request holds. The end of the `with` block releases all of them."""

    __slots__ = ("_environment", "_key", "_shares", "bytes")

    def __init__(self, shares: Shares, environment: str, key: str) -> None:
        self._shares = shares
        self._environment = environment
        self._key = key
        self.bytes = 0

    def hold(self, size: int) -> None:
        """Hold `size` more bytes. Raises Unavailable when they do not fit."""
        self._shares.add(self._environment, self._key, size)
        self.bytes += size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._shares.remove(self._environment, self._key, self.bytes)
        self.bytes = 0
