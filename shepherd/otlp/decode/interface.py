"""What a decoder of OTLP requests takes and gives. The readable and the compiled one are equal.

An *item* is what OTLP counts in `partial_success`: a span, a log record, a metric's data point. A
span is one event, and one more for each of its span events and links.
"""

import typing
from collections.abc import Sequence
from enum import StrEnum

import msgspec
import numpy as np
import numpy.typing as npt

from common.scan.events import Refused
from common.scan.work_budget import Work
from shepherd.ingest.decoded_events import Decoded, Sizes
from shepherd.otlp.metrics.column_facts import FactsByHash

Flags = npt.NDArray[np.bool_]


class Signal(StrEnum):
    """What a request holds: the last segment of its path."""

    TRACES = "traces"
    LOGS = "logs"
    METRICS = "metrics"


class OtlpBody(msgspec.Struct, frozen=True):
    """A request's body as protobuf, without its content encoding, and what it is read with."""

    signal: Signal
    message: bytes  # an ExportTraceServiceRequest, or that of another signal
    arrival_ns: int  # unix ns: the time of items without one
    dataset: str = ""  # the dataset that the request's header names
    classic: bool = False  # whether the key is of the vendor's older kind: the header decides

    def __repr__(self) -> str:
        return f"OtlpBody({self.signal}, message=<{len(self.message)} bytes>)"


class Group(msgspec.Struct, frozen=True, eq=False):
    """The events of one dataset, in the request's order.

    items: int64, one per event: the number of the event's item in the request, ascending. An item
    is refused if its own event is; a refused span event or link is counted, and its span is stored.
    own: bool, one per event: whether it is its item's own event.
    weights: int64, one per event: of how many items it is; metrics gather several data points, of
    which the first one's number is in `items`. None: each is of one.
    facts: what the request says of columns, which goes to metadata.
    """

    dataset: str
    events: Decoded
    items: Sizes
    own: Flags
    weights: Sizes | None = None
    facts: FactsByHash = {}


class DecodedRequest(msgspec.Struct, frozen=True, eq=False):
    """All events of a request by dataset, in the order in which the datasets occur first."""

    groups: Sequence[Group]
    items: int  # all items of the request
    unreadable: Sequence[tuple[int, Refused]] = ()  # items that give no event, ascending


class Decoder(typing.Protocol):
    """Decodes requests. Any number of threads may use it."""

    @property
    def name(self) -> str:
        """For status: "reference" or "kernel"."""

    def decode(self, body: OtlpBody, work: Work) -> DecodedRequest:
        """The events of a request.

        Raises MalformedBody for bytes that are no such message, TooMuchWork.
        """
