"""Zipkin's answers: JSON in Zipkin's form alone, so what they cover is told in their headers (I7).

`X-Bellwether-Complete` is `true`, or `false` where something that is stored may be missing.
`X-Bellwether-Notes` is a JSON array of texts, in ASCII.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web

COMPLETE_HEADER: Final = "X-Bellwether-Complete"
NOTES_HEADER: Final = "X-Bellwether-Notes"
_NOTES_MAX: Final = 8  # a note has some 100 characters; headers should stay below 4 kB
_NOTE_CHARS_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class ZipkinAnswer:
    """An answer before it is encoded."""

    document: object
    complete: bool = True
    notes: Sequence[str] = ()

    def response(self) -> web.Response:
        """Encode it. Blocks: call it in a thread where the document may be large."""
        headers = {COMPLETE_HEADER: "true" if self.complete else "false"}
        if self.notes:
            shown = [note[:_NOTE_CHARS_MAX] for note in self.notes[:_NOTES_MAX]]
            headers[NOTES_HEADER] = json.dumps(shown)
        body = msgspec.json.encode(self.document)
        return web.Response(body=body, content_type="application/json", headers=headers)
