"""The datasets of an environment, whose spans a question reads, with each one's definitions.

Each question lists them anew: a dataset may have begun with an event that is already acknowledged,
and an answer without it would claim to be complete. While metadata fails, the last list goes on
being used, so that traces stay readable (I8).
"""

from collections import OrderedDict
from collections.abc import Iterable
from typing import Final, NamedTuple

from common import limits
from common.clock import Clock
from common.errors import MetadataUnavailable, Unprocessable
from common.metadata import ApiKey, Dataset, Metadata
from common.model.names import ALL_DATASETS, BadDatasetName
from query.faults import SpecError
from query.http.dataset_names import DatasetNames
from query.http.span_definitions import SpanDefinitions
from query.plan.parts.spans import DEFAULT_NAMES, SpanDataset


class NoDatasetYet(Unprocessable):
    """Nothing was ever stored in the environment."""

    def __init__(self) -> None:
        super().__init__("the environment has no dataset yet")


class NamedDatasets(NamedTuple):
    """Datasets as a plan names them, and their names, in the same order."""

    datasets: tuple[SpanDataset, ...]
    names: tuple[str, ...]


NO_DATASETS: Final = NamedDatasets((), ())


class EnvironmentDatasets:
    """The lists of datasets. Use it from one event loop."""

    def __init__(self, names: DatasetNames, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        self._definitions = SpanDefinitions(names, clock)
        self._known: OrderedDict[str, list[Dataset]] = OrderedDict()  # by env id, the last list
        self._retry_ns = 0  # until then metadata is not asked, in monotonic ns

    async def named(self, key: ApiKey, names: tuple[str, ...] | None) -> NamedDatasets:
        """The datasets of these names; None: all of the key's environment, by their slugs.

        Raises SpecError; as `DatasetNames.id_named` does; MetadataUnavailable: no list is known.
        """
        if names is None:
            every = await self._list(key)
            return NamedDatasets(
                await self._defined(key, [one.id for one in every]),
                tuple(one.name for one in every),
            )
        try:
            found = {await self._names.id_named(key, name): name for name in names}
        except BadDatasetName as error:
            raise SpecError("datasets", "invalid", str(error)) from error
        return NamedDatasets(await self._defined(key, found), tuple(found.values()))

    async def _defined(self, key: ApiKey, datasets: Iterable[str]) -> tuple[SpanDataset, ...]:
        """The datasets of these ids, each with its definitions."""
        defined = await self._definitions.of(key)
        return tuple(SpanDataset(one, defined.get(one, DEFAULT_NAMES)) for one in datasets)

    async def asked(self, key: ApiKey, dataset: str) -> tuple[SpanDataset, ...]:
        """The dataset of this id with its definitions, or every one for ALL_DATASETS.

        Raises NoDatasetYet, MetadataUnavailable: no list is known.
        """
        if dataset != ALL_DATASETS:
            return await self._defined(key, [dataset])
        return (await self.every(key)).datasets

    async def every(self, key: ApiKey) -> NamedDatasets:
        """All datasets of the key's environment. Raises as `asked` does."""
        found = await self.named(key, None)
        if not found.datasets:
            raise NoDatasetYet
        return found

    async def _list(self, key: ApiKey) -> list[Dataset]:
        env = key.environment.id
        known = self._known.get(env)
        away = self._names.metadata_is_away or self._clock.monotonic_ns() < self._retry_ns
        if known is not None and away:
            return known

        def listed(metadata: Metadata) -> list[Dataset]:
            return metadata.list_datasets(env)

        try:
            found = await self._names.ask(key, listed)
        except MetadataUnavailable:
            if known is None:
                raise
            self._retry_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * 10**9
            return known
        self._known[env] = found
        self._known.move_to_end(env)
        if len(self._known) > limits.DATASET_LISTS_KEPT:
            self._known.popitem(last=False)
        return found
