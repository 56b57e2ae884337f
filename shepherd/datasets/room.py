"""Whether an environment may have another dataset (I14). Used from one event loop.

The count is of the datasets in metadata and of those that requests in progress are about to create
here; so one shepherd never creates too many. Several shepherds that create at the same moment may
together exceed the limit by what they have in progress. While metadata does not answer (I8), an
environment may use as many datasets that this shepherd does not know as it may have in all.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from common import limits
from common.errors import MetadataUnavailable, TooManyDatasets


class DatasetRoom:
    """The number of datasets of each environment, as far as it is known."""

    def __init__(self, datasets_max: int) -> None:
        self._max = datasets_max
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._under_way: dict[str, Counter[str]] = {}
        self._unchecked: Counter[str] = Counter()

    def counted(self, environment: str, datasets: int) -> None:
        """Metadata has `datasets` of them now."""
        self._counts[environment] = datasets
        self._counts.move_to_end(environment)
        if len(self._counts) > limits.KEY_CACHE_ENTRIES_MAX:
            self._counts.popitem(last=False)

    def has_room(self, environment: str) -> bool:
        """Whether there was room for another dataset when it was counted last."""
        under_way = len(self._under_way.get(environment, ()))
        return self._counts.get(environment, 0) + under_way < self._max

    def created(self, environment: str) -> None:
        """One more is in metadata."""
        if environment in self._counts:
            self._counts[environment] += 1

    def waits(self, environment: str, datasets: int) -> None:
        """`datasets` more of the environment wait to be registered; negative: fewer."""
        self._unchecked[environment] += datasets
        if self._unchecked[environment] <= 0:
            del self._unchecked[environment]

    @contextmanager
    def reserved(self, environment: str, dataset: str, *, checked: bool) -> Iterator[None]:
        """Room for a dataset that is not known to exist, while events for it are stored.

        checked: metadata has answered that there is none. Raises TooManyDatasets, or
        MetadataUnavailable where only metadata could show that there is room.
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
