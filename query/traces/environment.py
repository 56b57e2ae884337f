"""The datasets of an environment, whose spans a question reads, with each one's definitions.

They are those of some seconds ago at most. While metadata fails, the last list goes on being used,
so that traces stay readable (I8).
"""

from collections import OrderedDict
from typing import NamedTuple

from common import limits
from common.clock import Clock
from common.errors import MetadataUnavailable, Unprocessable
from common.metadata import ApiKey, Dataset, Metadata
from common.model.names import BadDatasetName
from query.faults import SpecError
from query.http.dataset_names import DatasetNames
from query.plan.plan import SpanDataset


class NoDatasetYet(Unprocessable):
    """Nothing was ever stored in the environment."""

    def __init__(self) -> None:
        super().__init__("the environment has no dataset yet")


class NamedDatasets(NamedTuple):
    """Datasets as a plan names them, and their names, in the same order."""

    datasets: tuple[SpanDataset, ...]
    names: tuple[str, ...]


class EnvironmentDatasets:
    """The lists of datasets. Use it from one event loop."""

    def __init__(self, names: DatasetNames, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        # env id -> (datasets, until when they are not listed again, in monotonic ns)
        self._known: OrderedDict[str, tuple[list[Dataset], int]] = OrderedDict()

    async def named(self, key: ApiKey, names: tuple[str, ...] | None) -> NamedDatasets:
        """The datasets of these names; None: all of the key's environment, by their slugs.

        Raises SpecError; as `DatasetNames.id_named` does; MetadataUnavailable: no list is known.
        """
        if names is None:
            every = await self._list(key)
            return NamedDatasets(
                tuple(SpanDataset(one.id) for one in every), tuple(one.name for one in every)
            )
        try:
            found = {await self._names.id_named(key, name): name for name in names}
        except BadDatasetName as error:
            raise SpecError("datasets", "invalid", str(error)) from error
        return NamedDatasets(tuple(map(SpanDataset, found)), tuple(found.values()))

    async def _list(self, key: ApiKey) -> list[Dataset]:
        env = key.environment.id
        known = self._known.get(env)
        now_ns = self._clock.monotonic_ns()
        if known is not None and (now_ns < known[1] or self._names.metadata_is_away):
            return known[0]

        def listed(metadata: Metadata) -> list[Dataset]:
            return metadata.list_datasets(env)

        try:
            found = await self._names.ask(key, listed)
        except MetadataUnavailable:
            if known is None:
                raise
            found = known[0]
        until_ns = self._clock.monotonic_ns() + limits.DATASET_NAME_FRESH_S * 10**9
        self._known[env] = found, until_ns
        self._known.move_to_end(env)
        if len(self._known) > limits.DATASET_LISTS_KEPT:
            self._known.popitem(last=False)
        return found
