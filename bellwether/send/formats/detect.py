"""Which format a file has, told from its beginning and its name."""

import csv
from collections.abc import Callable

from bellwether.send.event import UnknownFormat
from bellwether.send.formats import logfmt
from bellwether.send.formats.registry import NAMES, format_named


def detect(head: bytes, name: str) -> str:
    """The format of a file that begins so. Raises UnknownFormat."""
    text = head.decode("utf-8-sig", "replace")
    sample = [line for line in text.splitlines()[:20] if line.strip()]
    if len(head) > 1000 and len(sample) > 1:
        sample.pop()  # it may be cut off
    if not sample:
        return "json"
    first = sample[0].lstrip()
    for known in ("combined", "apache_error", "nginx_error"):
        looks_like = format_named(known).looks_like
        if looks_like is not None and _most(sample, looks_like):
            return known
    if first.startswith(("{", "[")):
        return "json"
    stem = name.lower()
    for compression in (".gz", ".zst", ".bz2", ".xz"):
        stem = stem.removesuffix(compression)
    if stem.endswith(".tsv"):
        return "tsv"
    if stem.endswith(".csv"):
        return "csv"
    if _most(sample, logfmt.looks_like):
        return "logfmt"
    for delimiter, kind in ((",", "csv"), ("\t", "tsv")):
        counts = {len(row) for row in csv.reader(sample, delimiter=delimiter)}
        if len(counts) == 1 and counts.pop() > 1:
            return kind
    raise UnknownFormat(f"cannot tell the format: say --format {'|'.join(NAMES)}")


def _most(sample: list[str], test: Callable[[str], bool]) -> bool:
    return sum(map(test, sample)) * 2 > len(sample)
