"""Bodies of tails between a query role and an indexer: the events and fields of a tail."""

import msgspec

from common.process.versions import VersionedRequest
from query.plan.parts.conditions import Filter
from query.plan.plan import CalculatedField


class TailFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The events of a tail, and their fields. Filters have the same meaning as in a query.

    calculated: fields that the filters and `fields` use, as in a plan.
    fields: the fields to send, as they are stored; None: the event's data as it was sent.
    """

    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    fields: tuple[str, ...] | None = None
    calculated: tuple[CalculatedField, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether every event passes, as it was sent."""
        return not self.filters and self.fields is None


class TailRequest(VersionedRequest, frozen=True, omit_defaults=True):
    """Body of `POST /internal/tail`. All members but `choice` are parameters of the GET route.

    Indexers of older versions lack this route and refuse it, instead of sending every event.
    """

    dataset: str
    choice: TailFilter
    partitions: tuple[int, ...] | None = None
    after_ns: int | None = None
    batches: bool = False
    env: str = ""
    key: str = ""
