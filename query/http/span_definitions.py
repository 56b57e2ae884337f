"""What the datasets of an environment say about their spans. While metadata fails, what it had last
goes on being used, so that traces stay readable (I8).
"""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping

from common import limits
from common.clock import Clock
from common.errors import MetadataUnavailable
from common.metadata import ApiKey, Metadata, SpanDefinition
from query.http.dataset_names import DatasetNames
from query.plan.parts.spans import SpanNames
from query.plan.span_parts import span_names


class SpanDefinitions:
    """Reads definitions anew for each question. Use it from one event loop."""

    def __init__(self, names: DatasetNames, clock: Clock) -> None:
        self._names = names
        self._clock = clock
        self._known: OrderedDict[str, Mapping[str, SpanNames]] = OrderedDict()  # by env id
        self._retry_ns = 0  # until then metadata is not asked, in monotonic ns

    async def of(self, key: ApiKey) -> Mapping[str, SpanNames]:
        """By dataset id, of those that define anything; empty if it was never known."""
        env = key.environment.id
        if self._names.metadata_is_away or self._clock.monotonic_ns() < self._retry_ns:
            return self._known.get(env, {})

        def listed(metadata: Metadata) -> list[SpanDefinition]:
            return metadata.list_resources(SpanDefinition, env, None)

        try:
            rows = await self._names.ask(key, listed)
        except MetadataUnavailable:
            self._retry_ns = self._clock.monotonic_ns() + limits.METADATA_RETRY_S * 10**9
            return self._known.get(env, {})
        of_dataset = defaultdict[str, list[SpanDefinition]](list)
        for row in rows:
            of_dataset[row.dataset_id].append(row)
        self._known[env] = {name: span_names(parts) for name, parts in of_dataset.items()}
        self._known.move_to_end(env)
        if len(self._known) > limits.DATASET_LISTS_KEPT:
            self._known.popitem(last=False)
        return self._known[env]
