"""Append times before which segments are no longer served, by dataset. They never decrease."""

from collections.abc import Mapping
from dataclasses import dataclass, field

HOUR_NS = 3600 * 10**9
DAY_NS = 24 * HOUR_NS


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Cut-offs in unix ns.

    default_ns: of datasets that are not in `datasets`.
    """

    default_ns: int = 0
    datasets: Mapping[str, int] = field(default_factory=dict)

    def of(self, dataset: str) -> int:
        """The dataset's cut-off."""
        return self.datasets.get(dataset, self.default_ns)

    def joined(self, later: "Cutoffs") -> "Cutoffs":
        """Combined with a later decision: for each dataset the later of both cut-offs."""
        default_ns = max(self.default_ns, later.default_ns)
        names = self.datasets.keys() | later.datasets.keys()
        own = {name: max(self.of(name), later.of(name)) for name in names}
        return Cutoffs(default_ns, {n: at for n, at in sorted(own.items()) if at != default_ns})


def wanted_cutoffs(now_ns: int, default_days: float, own_days: Mapping[str, int]) -> Cutoffs:
    """The cut-offs of these retention periods at this time (0 days: for ever).

    They are whole hours, which limits the number of documents.
    """
    datasets = {name: _cutoff(now_ns, days) for name, days in own_days.items()}
    return Cutoffs(_cutoff(now_ns, default_days), datasets)


def _cutoff(now_ns: int, days: float) -> int:
    if days <= 0:
        return 0
    cutoff_ns = max(0, now_ns - int(days * DAY_NS))
    return cutoff_ns - cutoff_ns % HOUR_NS
