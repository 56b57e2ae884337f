"""What "the same" means: lines byte for byte, sizes, refusals in their places, error texts."""

from common.scan import json_events
from common.scan.events import MalformedBody
from shepherd.body import Media
from shepherd.split.interface import Split, Splitter, framed
from shepherd.split.kernel.splitter import KernelSplitter

NOW = 1_700_000_000_000_000_001


def told(split: Split) -> tuple[object, ...]:
    lines = split.lines
    sizes = lines.line_bytes.tolist(), lines.data_bytes.tolist()
    return split.events, lines.text, *sizes, list(split.refused)


def exact(body: bytes, depth: int) -> tuple[object, ...]:
    """By the exact scanner alone, without the shortcuts of the fast one."""
    try:
        return told(framed(json_events.split_batch(body, depth, NOW)))
    except MalformedBody as error:
        return (str(error),)


def outcome(splitter: Splitter, body: bytes, depth: int) -> tuple[object, ...]:
    try:
        return told(splitter.split(body, Media.JSON, depth, NOW))
    except MalformedBody as error:
        return (str(error),)


def quickly(splitter: KernelSplitter, body: bytes, depth: int) -> tuple[object, ...] | None:
    try:
        split = splitter.split_quickly(body, Media.JSON, depth, NOW)
    except MalformedBody as error:
        return (str(error),)
    return None if split is None else told(split)


def assert_same(splitter: KernelSplitter, body: bytes, depth: int = 0) -> tuple[object, ...]:
    """Fail unless it gives what the exact reference gives, also when it must be quick."""
    wanted = exact(body, depth)
    assert outcome(splitter, body, depth) == wanted
    assert quickly(splitter, body, depth) in (None, wanted)
    assert splitter.intact()
    return wanted
