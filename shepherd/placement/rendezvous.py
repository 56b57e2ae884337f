"""Chooses the partitions of a dataset: by rendezvous hashing, as many as its rate needs.

The order is the same in every shepherd and process, so a small dataset stays in few partitions,
and a partition that is added moves as little as can be. Pure: time is a parameter.
"""

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from common import limits

_HALF_LIFE_S = 30.0  # a burst of a few seconds spreads a dataset for a short time only
_SHRINK_BELOW = 0.5  # of the partitions that it has: no flapping around a threshold
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))  # splitmix64
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def rendezvous_order(key: bytes, partitions: int) -> tuple[int, ...]:
    """All partitions in the order of `key`, best first. Part of the record format: client-given
    batch ids follow it (docs/formats.md), so it never changes.
    """
    seed = np.uint64(int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "big"))
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is the point
        weight = seed + _GOLDEN * np.arange(1, partitions + 1, dtype=np.uint64)
        weight = (weight ^ (weight >> np.uint64(30))) * _MIX[0]
        weight = (weight ^ (weight >> np.uint64(27))) * _MIX[1]
        weight ^= weight >> np.uint64(31)
    return tuple(_descending(weight).tolist())


def _descending(weight: npt.NDArray[np.uint64]) -> npt.NDArray[np.intp]:
    return np.argsort(~weight, kind="stable")  # equal weights: the lower partition first


@dataclass(slots=True)
class _Rate:
    """A dataset's order, its decaying bytes, and how many partitions it has now."""

    order: tuple[int, ...]
    bytes: float
    at_ns: int
    count: int


class DatasetRates:
    """Rates of the datasets that this shepherd takes events of. The least recent are dropped."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._rates: OrderedDict[str, _Rate] = OrderedDict()

    def grow(self, partitions: int) -> None:
        """The log has more partitions: orders are computed anew."""
        self._partitions = partitions
        for dataset_id, use in self._rates.items():
            use.order = rendezvous_order(dataset_id.encode(), partitions)

    def count_bytes(self, dataset_id: str, size: int, now_ns: int) -> tuple[tuple[int, ...], int]:
        """Count bytes of a dataset; returns its order of partitions, and how many it needs."""
        use = self._rates.get(dataset_id)
        if use is None:
            order = rendezvous_order(dataset_id.encode(), self._partitions)
            use = self._rates[dataset_id] = _Rate(order, 0.0, now_ns, 0)
            if len(self._rates) > limits.DATASET_RATES_MAX:
                self._rates.popitem(last=False)
        self._rates.move_to_end(dataset_id)
        passed_s = (now_ns - use.at_ns) / 1e9
        use.bytes = use.bytes * 0.5 ** (passed_s / _HALF_LIFE_S) + size
        use.at_ns = now_ns
        per_s = use.bytes * math.log(2) / _HALF_LIFE_S
        wanted = math.ceil(per_s / limits.PARTITION_BYTES_PER_S)
        wanted = min(self._partitions, max(limits.DATASET_PARTITIONS_MIN, wanted))
        if wanted > use.count or wanted < use.count * _SHRINK_BELOW:
            use.count = wanted
        return use.order, use.count
