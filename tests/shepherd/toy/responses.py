"""One line of text per event, in the request's order; errors of whole requests as text too."""

from common.errors import BellwetherError
from common.model.position import Position
from common.scan.events import Refused
from shepherd.http.body import BodyTooLarge
from shepherd.http.request import RECEIPT_HEADER, IngestResponse
from shepherd.ingest.decoded_events import Verdict
from shepherd.ingest.events_by_dataset import Outcome

_TEXT = {"Content-Type": "text/plain"}


def response(outcome: Outcome) -> IngestResponse:
    """207: each event has a status of its own."""
    headers = dict(_TEXT)
    if outcome.receipt:
        headers[RECEIPT_HEADER] = outcome.receipt
    body = "".join(f"{_line(verdict)}\n" for verdict in outcome.verdicts())
    return IngestResponse(207, headers, body.encode())


def _line(verdict: Verdict) -> str:
    outcome = verdict.outcome
    if isinstance(outcome, Position):
        return " ".join(("stored", str(outcome), *(f"mended:{m.field}" for m in verdict.mended)))
    if isinstance(outcome, Refused):
        return f"refused {outcome.rule} {outcome.error}"
    return f"failed {outcome.status} {outcome}"


def error_response(error: BellwetherError) -> IngestResponse:
    """As this protocol's clients read it."""
    status = 413 if isinstance(error, BodyTooLarge) else error.status
    return IngestResponse(status, _TEXT, f"error: {error}\n".encode())
