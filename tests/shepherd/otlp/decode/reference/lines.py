"""Decoded requests as plain data."""

from typing import Any

import orjson

from shepherd.otlp.decode.interface import DecodedRequest


def lines(decoded: DecodedRequest) -> dict[str, list[Any]]:
    """The lines of each dataset."""
    return {
        group.dataset: [orjson.loads(line) for line in group.events.lines.text.splitlines()]
        for group in decoded.groups
    }
