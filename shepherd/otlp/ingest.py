"""The way of an OTLP request: over HTTP and gRPC the same, once its bytes are there (I1, I2).

Whatever can be stored is stored; what never can is refused item by item. A request of which a part
could not be stored now fails as a whole and is repeated by its client, with the same bytes, from
which its records' ids follow.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from common import limits
from common.errors import BellwetherError
from common.metadata import ApiKey
from common.process.auth import KeyCache, is_classic
from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.datasets.cache import Resolved
from shepherd.http.body import decode_content
from shepherd.http.key_header import authenticate, key_text
from shepherd.http.request import ProtocolLimits
from shepherd.ingest.accept import Submission
from shepherd.ingest.content_id import content_id
from shepherd.ingest.decoded_events import NO_LINES, Decoded, stored_events
from shepherd.ingest.events_by_dataset import Outcome, Run, RunOutcome
from shepherd.ingest.signatures import has_stacks, with_signatures
from shepherd.otlp.decode.interface import DecodedRequest, Decoder, Group, OtlpBody, Signal
from shepherd.otlp.json.interface import Transcoder
from shepherd.otlp.media import Media
from shepherd.otlp.metrics.facts_queue import FactsQueue

LIMITS: Final = ProtocolLimits(
    body_bytes_max=limits.OTLP_BODY_BYTES_MAX,
    events_max=limits.OTLP_EVENTS_MAX,
    datasets_max=limits.OTLP_DATASETS_MAX,
    work_units_max=limits.OTLP_WORK_UNITS_MAX,
)
COUNTED_AS: Final = "(otlp)"  # the dataset under which a request is counted
DATASET_HEADER: Final = "x-honeycomb-dataset"


class MissingHeader(BellwetherError):
    """The request lacks a header without which it is not known whose it is."""

    status = 401

    def __init__(self, name: str) -> None:
        super().__init__(f"missing '{name}' header")


class MalformedRequest(MalformedBody):
    """The request's body cannot be read. The text begins as the vendor's."""

    def __init__(self, error: MalformedBody) -> None:
        BellwetherError.__init__(self, f"failed to parse OTLP request body: {error}")


class Sender(msgspec.Struct, frozen=True):
    """Whose a request is, and where its items go if they do not say it themselves."""

    key: ApiKey
    dataset: str  # that a header names; empty if none does
    classic: bool  # whether the key is of the vendor's older kind: then that header decides


async def read_sender(headers: Mapping[str, str], keys: KeyCache, signal: Signal) -> Sender:
    """The sender of a request with these headers (or gRPC metadata), by lower-case names.

    Raises MissingHeader, UnknownKey, MetadataUnavailable.
    """
    text = key_text(headers)
    if not text:
        raise MissingHeader("x-honeycomb-team")
    key = await authenticate(headers, keys)
    dataset = headers.get(DATASET_HEADER, "").strip()
    classic = is_classic(text)
    if classic and not dataset and signal is not Signal.LOGS:
        raise MissingHeader(DATASET_HEADER)
    return Sender(key, dataset, classic)


class OtlpRequest(msgspec.Struct, frozen=True):
    """A request whose body is there, as it came."""

    signal: Signal
    media: Media
    encoding: str  # content encoding, which `check_encoding` knows; empty: none
    body: bytes
    sender: Sender

    def __repr__(self) -> str:
        return f"OtlpRequest({self.signal}, {self.media}, body=<{len(self.body)} bytes>)"


class Taken(msgspec.Struct, frozen=True):
    """The outcome of a request that is not refused as a whole."""

    receipt: str
    items_refused: int = 0
    error: str = ""  # why the first of them was refused


class OtlpIngest:
    """Takes requests, however they have come."""

    def __init__(self, decoder: Decoder, transcoder: Transcoder, facts: FactsQueue) -> None:
        self._decoder = decoder
        self._transcoder = transcoder
        self._facts = facts

    async def take(self, request: OtlpRequest, submission: Submission) -> Taken:
        """Decode and store a request. The submission has received its body.

        Raises BellwetherError for a request that is refused as a whole: Unavailable if a repetition
        with the same bytes could store what is missing, and MalformedBody.
        """
        arrival_ns = submission.arrival_ns()
        decoded, name = await submission.decode(
            len(request.body), lambda work: self._decode(request, arrival_ns, work)
        )
        datasets = await submission.resolve_all([group.dataset for group in decoded.groups])
        runs = [_run(group, datasets[group.dataset]) for group in decoded.groups]
        submission.arrival_ns()
        outcome = await submission.store(runs, named=name, whole=True)
        self._offer_facts(request.sender.key, decoded, outcome)
        return _taken(decoded, outcome)

    def _offer_facts(self, key: ApiKey, decoded: DecodedRequest, outcome: Outcome) -> None:
        """Queue what the request says of columns of datasets of which something is stored."""
        for group, found in zip(decoded.groups, outcome.runs, strict=True):
            dataset = found.run.dataset
            if group.facts and isinstance(dataset, Resolved) and stored_events(found.stored):
                self._facts.offer(key.environment.id, dataset.target.dataset_id, group.facts)

    def _decode(
        self, request: OtlpRequest, arrival_ns: int, work: Work
    ) -> tuple[DecodedRequest, str | None]:
        """The request's events, and its batch id; None: it is small, and gathered with others.
        Runs in a thread.
        """
        sender = request.sender
        try:
            content = decode_content(
                request.body, request.encoding, limits.OTLP_BODY_BYTES_MAX, work
            )
            message = content
            if request.media is Media.JSON:
                message = self._transcoder.to_protobuf(request.signal, content, work)
            body = OtlpBody(request.signal, message, arrival_ns, sender.dataset, sender.classic)
            decoded = _signed(self._decoder.decode(body, work), work)
        except MalformedBody as error:
            raise MalformedRequest(error) from error
        if decoded.items < limits.OTLP_NAMED_ITEMS_MIN:
            return decoded, None
        return decoded, content_id(sender.key.environment.id, f"v1/{request.signal}", content)


def _signed(decoded: DecodedRequest, work: Work) -> DecodedRequest:
    """The events, those with a stack with the signature of their exception."""
    if not any(has_stacks(group.events.lines.text) for group in decoded.groups):
        return decoded
    groups = [
        msgspec.structs.replace(group, events=with_signatures(group.events, work))
        for group in decoded.groups
    ]
    return DecodedRequest(groups, decoded.items, decoded.unreadable)


def _run(group: Group, dataset: Resolved | BellwetherError) -> Run:
    events = group.events
    if not isinstance(dataset, Resolved):
        events = Decoded(events.events, NO_LINES)
    return Run(group.dataset, dataset, events)


def _taken(decoded: DecodedRequest, outcome: Outcome) -> Taken:
    """Counts the items of which the own event was refused."""
    refused = len(decoded.unreadable)
    errors = [(item, why.error) for item, why in decoded.unreadable[:1]]
    for group, found in zip(decoded.groups, outcome.runs, strict=True):
        events_refused = _refused_events(found)
        for index, error in events_refused:
            if group.own[index]:
                refused += 1 if group.weights is None else int(group.weights[index])
                errors.append((int(group.items[index]), error))
    return Taken(outcome.receipt, refused, min(errors)[1] if errors else "")


def _refused_events(found: RunOutcome) -> Sequence[tuple[int, str]]:
    """The events of a dataset that are not stored, and why."""
    events = found.run.events
    refused = [(index, why.error) for index, why in events.refused]
    if all(not isinstance(part.outcome, BellwetherError) for part in found.stored):
        return refused
    is_line = np.ones(events.events, np.bool_)
    is_line[[index for index, _ in events.refused]] = False
    indexes = np.flatnonzero(is_line)
    at = 0
    for part in found.stored:
        if isinstance(part.outcome, BellwetherError):
            why = str(part.outcome)
            refused += [(int(index), why) for index in indexes[at : at + part.events]]
        at += part.events
    return refused
