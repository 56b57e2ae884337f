"""What "the same" means: lines byte for byte, sizes, refusals in their places, error texts."""

from common.scan import json_events, msgpack_events
from common.scan.events import MalformedBody
from common.scan.work_budget import Work
from shepherd.honeycomb.media import Media
from shepherd.honeycomb.split.compiled.splitter import KernelSplitter
from shepherd.honeycomb.split.interface import Splitter
from shepherd.ingest.decoded_events import Decoded, decoded

NOW = 1_700_000_000_000_000_001


def told(split: Decoded) -> tuple[object, ...]:
    lines = split.lines
    sizes = lines.line_bytes.tolist(), lines.data_bytes.tolist()
    return split.events, lines.text, *sizes, list(split.mended), list(split.refused)


def exact(body: bytes, depth: int, media: Media = Media.JSON) -> tuple[object, ...]:
    """By the exact scanner alone, without the shortcuts of the fast one."""
    packed = media is Media.MSGPACK
    split = msgpack_events.split_msgpack_batch if packed else json_events.split_batch
    try:
        return told(decoded(split(body, depth, NOW)))
    except MalformedBody as error:
        return (str(error),)


def outcome(
    splitter: Splitter, body: bytes, depth: int, media: Media = Media.JSON
) -> tuple[object, ...]:
    try:
        return told(splitter.split(body, media, depth, NOW))
    except MalformedBody as error:
        return (str(error),)


def quickly(
    splitter: KernelSplitter, body: bytes, depth: int, media: Media
) -> tuple[object, ...] | None:
    try:
        split = splitter.split_quickly(body, media, depth, NOW)
    except MalformedBody as error:
        return (str(error),)
    return None if split is None else told(split)


def assert_same(
    splitter: KernelSplitter, body: bytes, depth: int = 0, media: Media = Media.JSON
) -> tuple[object, ...]:
    """Fail unless it gives what the exact reference gives, also when it must be quick."""
    wanted = exact(body, depth, media)
    assert outcome(splitter, body, depth, media) == wanted
    assert quickly(splitter, body, depth, media) in (None, wanted)
    assert splitter.intact()
    return wanted


class Told:
    """In the place of a reference: notes the bodies that it was given."""

    def __init__(self, bodies: list[bytes]) -> None:
        self._bodies = bodies

    def split(
        self, body: bytes, media: Media, depth: int, arrival_ns: int, work: Work | None = None
    ) -> None:
        self._bodies.append(body)
