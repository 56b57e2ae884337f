"""What a query role and an indexer say to each other about a tail that shows only some events."""

import msgspec

from query.plan.plan import Filter


class TailFilter(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which events, and which of their fields: conditions mean what they mean in a query.

    fields: these alone, as they are stored; None: the event's data as it was sent.
    """

    filters: tuple[Filter, ...] = ()
    any_filter: bool = False
    fields: tuple[str, ...] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether every event is shown as it was sent."""
        return not self.filters and self.fields is None


class TailRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """Body of `POST /internal/tail`, which indexers of older versions refuse: they would show
    every event. The other members are those of the parameters of `GET /internal/tail`.
    """

    dataset: str
    choice: TailFilter
    partitions: tuple[int, ...] | None = None
    after_ns: int | None = None
    batches: bool = False
    env: str = ""
    key: str = ""
