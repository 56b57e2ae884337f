"""The limit of datasets per environment (I14). Used from one event loop.

The count has the datasets in metadata and those that requests in progress are about to create here,
so one shepherd never creates too many. Several shepherds that create datasets at the same moment
may together exceed the limit by those in progress. While metadata does not respond (I8), as many
datasets that this shepherd does not know may be used as the environment may have in all.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from common import limits
from common.errors import MetadataUnavailable, TooManyDatasets


class DatasetRoom:
    """The known number of datasets of each environment, and reservations of new ones."""

    def __init__(self, datasets_max: int) -> None:
        self._max = datasets_max
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._under_way: dict[str, Counter[str]] = {}
        self._unchecked: Counter[str] = Counter()

    def counted(self, environment: str, datasets: int) -> None:
        """Set the number of the environment's datasets in metadata."""
        self._counts[environment] = datasets
        self._counts.move_to_end(environment)
        if len(self._counts) > limits.KEY_CACHE_ENTRIES_MAX:
            self._counts.popitem(last=False)

    def has_room(self, environment: str) -> bool:
        """Whether the last known count allows another dataset."""
        under_way = len(self._under_way.get(environment, ()))
        return self._counts.get(environment, 0) + under_way < self._max

    def created(self, environment: str) -> None:
        """Count one more dataset in metadata."""
        if environment in self._counts:
            self._counts[environment] += 1

    def waits(self, environment: str, datasets: int) -> None:
        """Add `datasets` (negative: fewer) to those of the environment that await registration."""
        self._unchecked[environment] += datasets
        if self._unchecked[environment] <= 0:
            del self._unchecked[environment]

    @contextmanager
    def reserved(self, environment: str, dataset: str, *, checked: bool) -> Iterator[None]:
        """Reserve a dataset that is not known to exist, while events for it are stored.

        checked: metadata has confirmed that it does not exist. Raises TooManyDatasets, or
        MetadataUnavailable where only metadata could show that the limit allows it.
        """
        here = self._under_way.setdefault(environment, Counter())
        if not here[dataset]:
            del here[dataset]
            self._check(environment, len(here), checked)
        here[dataset] += 1
        try:
            yield
        finally:
            here[dataset] -= 1
            if not here[dataset]:
                del here[dataset]
            if not here:
                self._under_way.pop(environment, None)

    def _check(self, environment: str, under_way: int, checked: bool) -> None:
        try:
            if checked and self._counts.get(environment, 0) + under_way >= self._max:
                raise TooManyDatasets(self._max)
            if not checked and self._unchecked[environment] + under_way >= self._max:
                raise MetadataUnavailable(
                    "the metadata store does not answer, and many new datasets wait for it"
                )
        except BaseException:
            if not under_way:
                self._under_way.pop(environment, None)
            raise
