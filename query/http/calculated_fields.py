"""Calculated fields that are stored, read anew for each question that names fields: one that was
just saved counts. While metadata fails, what was read last goes on being used (I8).
"""

from collections import OrderedDict

from common import limits
from common.clock import Clock
from common.errors import MetadataUnavailable
from common.metadata import DerivedColumn, Metadata
from common.process.fair.requester import Requester
from query.http.dataset_names import DatasetNames
from query.results.calculated.stored import KnownFields


class StoredCalculatedFields:
    """Implements `StoredFields`. Use it from one event loop."""

    def __init__(self, names: DatasetNames, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], KnownFields] = OrderedDict()
        self._retry_ns = 0  # until then metadata is not asked, in monotonic ns

    async def of(self, dataset: str, requester: Requester) -> KnownFields:
        """Those of a dataset, before those of its environment. Raises TooManyRequests."""
        place = requester.env, dataset
        if not requester.env:
            return KnownFields({})
        if self._names.metadata_is_away or self._clock.monotonic_ns() < self._retry_ns:
            return self._last(place)

        def listed(metadata: Metadata) -> list[DerivedColumn]:
            return metadata.list_derived_columns(requester.env, dataset or None)

        try:
            rows = await self._names.ask_for(requester, listed)
        except MetadataUnavailable:
            self._retry_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * 10**9
            return self._last(place)
        known = KnownFields({row.alias: row.expression for row in rows})
        self._known[place] = known
        self._known.move_to_end(place)
        if len(self._known) > limits.DATASET_LISTS_KEPT:
            self._known.popitem(last=False)
        return known

    def _last(self, place: tuple[str, str]) -> KnownFields:
        known = self._known.get(place)
        return KnownFields({}, complete=False) if known is None else known
