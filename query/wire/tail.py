"""Bodies about a tail between a query role and an indexer: which events and fields it has."""

import msgspec

from query.plan.plan import Filter


class TailFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """The events of a tail, and their fields. Filters mean what they mean in a query.

    fields: only these, as they are stored; None: the event's data as it was sent.
    """

    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    fields: tuple[str, ...] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether every event passes, as it was sent."""
        return not self.filters and self.fields is None


class TailRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of `POST /internal/tail`. Indexers of older versions have no such route and refuse it;
    they would show every event. All members but `choice` are parameters of `GET /internal/tail`.
    """

    dataset: str
    choice: TailFilter
    partitions: tuple[int, ...] | None = None
    after_ns: int | None = None
    batches: bool = False
    env: str = ""
    key: str = ""
