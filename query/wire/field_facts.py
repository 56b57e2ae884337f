"""What is known of the values of a dataset's fields, without reading events; merging of it.

Facts are of sources: segments, by their summaries, and live rows. Indexers send them in pages in
the order of names. Counts are of stored events, not weighted by sample rates.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Final

import msgspec
import numpy as np

from common import limits
from common.process.versions import VersionedRequest
from query.wire.name_pattern import NamePattern

Value = int | float | bool | str
_HASH_RANGE: Final = 2.0**64
TEXTS: Final = ("s", "j")  # letters of types that hold texts


class TypeFacts(msgspec.Struct, array_like=True):
    """The values of one type.

    rows: events with such a value. value_bytes: of the values as they are, 8 per number.
    low, high: no value is less or greater; of texts their beginnings. None: not known.
    """

    rows: int = 0
    value_bytes: int = 0
    low: Value | None = None
    high: Value | None = None


class FieldFacts(msgspec.Struct, array_like=True):
    """A field.

    types: by the letter of the type.
    values: frequent ones, (letter, value, events), most frequent first. others: whether there may
        be more. unread: events whose values are not known.
    hashes: the smallest XXH64 hashes of distinct values, uint64, ascending. distinct_least: of one
        source. few: whether `hashes` has all.
    stored_bytes: of its columns in segments, compressed; value_bytes of those that were not opened.
    first_ns, last_ns: append times of the first and last source with it, in unix ns.
    """

    name: str
    types: dict[str, TypeFacts] = {}
    values: list[tuple[str, Value, int]] = []
    others: bool = False
    unread: int = 0
    hashes: bytes = b""
    few: bool = True
    distinct_least: int = 0
    stored_bytes: int = 0
    first_ns: int = 0
    last_ns: int = 0

    @property
    def rows(self) -> int:
        """Events with the field."""
        return sum(one.rows for one in self.types.values())

    @property
    def distinct(self) -> int:
        """About how many distinct values there are: exact if there are few, or in one source."""
        hashes = np.frombuffer(self.hashes, np.uint64)
        if self.few or len(hashes) < 2:
            return max(self.distinct_least, len(hashes))
        # the k-th smallest of n hashes is near k / n of their range
        estimate = (len(hashes) - 1) / ((float(hashes[-1]) + 1) / _HASH_RANGE)
        return max(self.distinct_least, round(estimate))


class FieldFactsRequest(VersionedRequest, frozen=True):
    """Body of `POST /internal/field_facts`.

    partitions: of which the indexer answers for those that it holds.
    after, size, pattern: as in `ColumnsRequest`. name: only this field, with the values that begin
        with `prefix` in any case; None: a page of fields.
    """

    dataset: str
    partitions: tuple[int, ...]
    after: str | None = None
    size: int = limits.FIELD_FACTS_PAGE
    pattern: str = ""
    name: str | None = None
    prefix: str = ""


class SourceCoverage(msgspec.Struct, array_like=True):
    """What the facts of one partition are of.

    rows: stored events of the dataset. stored_bytes: of its segments. live_rows: of the events,
        those that are in no segment yet. unread: events of segments of which nothing is known here
        now. first_ns, last_ns: append times; 0 without events.
    """

    partition: int
    rows: int = 0
    stored_bytes: int = 0
    live_rows: int = 0
    unread: int = 0
    first_ns: int = 0
    last_ns: int = 0


class FieldFactsPage(msgspec.Struct, array_like=True):
    """The answer, in MessagePack. more: whether further fields follow."""

    covered: list[SourceCoverage]
    fields: list[FieldFacts]
    more: bool = False


def merge_facts(
    sources: Iterable[Sequence[FieldFacts]], values_max: int = limits.FIELD_FACTS_VALUES
) -> list[FieldFacts]:
    """The facts of all sources together, in the order of names."""
    by_name: dict[str, list[FieldFacts]] = {}
    for one in chain.from_iterable(sources):
        by_name.setdefault(one.name, []).append(one)
    return [
        some[0] if len(some) == 1 else _merged(name, some, values_max)
        for name, some in sorted(by_name.items())
    ]


def _merged(name: str, some: Sequence[FieldFacts], values_max: int) -> FieldFacts:
    types: dict[str, TypeFacts] = {}
    counts: dict[tuple[str, Value], int] = {}
    for one in some:
        for letter, facts in one.types.items():
            known = types.get(letter)
            types[letter] = facts if known is None else _both(known, facts)
        for letter, value, count in one.values:
            key = letter, value
            counts[key] = counts.get(key, 0) + count
    values = [(letter, value, count) for (letter, value), count in counts.items()]
    values.sort(key=lambda item: (-item[2], item[0], item[1]))
    hashes = np.unique(np.frombuffer(b"".join([one.hashes for one in some]), np.uint64))
    few = all(one.few for one in some) and len(hashes) <= limits.FIELD_FACTS_HASHES
    return FieldFacts(
        name,
        types,
        values[:values_max],
        any(one.others for one in some) or len(values) > values_max,
        sum(one.unread for one in some),
        hashes[: limits.FIELD_FACTS_HASHES].tobytes(),
        few,
        max(one.distinct_least for one in some),
        sum(one.stored_bytes for one in some),
        min(one.first_ns for one in some),
        max(one.last_ns for one in some),
    )


def _both(one: TypeFacts, two: TypeFacts) -> TypeFacts:
    return TypeFacts(
        one.rows + two.rows,
        one.value_bytes + two.value_bytes,
        _end(min, one.low, two.low),
        _end(max, one.high, two.high),
    )


def _end(which: object, one: Value | None, two: Value | None) -> Value | None:
    if one is None or two is None:
        return two if one is None else one
    found: Value = which(one, two)  # type: ignore[operator]  # min or max, of one type
    return found


def page_of(
    facts: Sequence[FieldFacts], wanted: FieldFactsRequest
) -> tuple[list[FieldFacts], bool]:
    """(the fields of the page, whether more follow). facts: of all fields, by name."""
    pattern = NamePattern(wanted.pattern)
    found: list[FieldFacts] = []
    for one in facts:
        if wanted.after is not None and one.name <= wanted.after:
            continue
        if not pattern.matches(one.name):
            continue
        if len(found) >= wanted.size:
            return found, True
        found.append(one)
    return found, False


def merge_fact_pages(pages: Sequence[FieldFactsPage], size: int) -> FieldFactsPage:
    """One page of several indexers' pages, of at most `size` fields.

    An indexer may have further names after the last one of a page with `more`; names of other
    pages after that name are left for the next page.
    """
    end = min((page.fields[-1].name for page in pages if page.more and page.fields), default=None)
    merged = merge_facts(page.fields for page in pages)
    kept = [one for one in merged if end is None or one.name <= end]
    more = any(page.more for page in pages) or len(kept) > size
    covered = sorted((one for page in pages for one in page.covered), key=lambda one: one.partition)
    return FieldFactsPage(covered, kept[:size], more)


def covered_together(every: Iterable[SourceCoverage]) -> list[SourceCoverage]:
    """What the facts of several datasets are of, by partition."""
    found: dict[int, SourceCoverage] = {}
    for one in every:
        known = found.setdefault(one.partition, SourceCoverage(one.partition))
        firsts = [ns for ns in (known.first_ns, one.first_ns) if ns]
        found[one.partition] = SourceCoverage(
            one.partition,
            known.rows + one.rows,
            known.stored_bytes + one.stored_bytes,
            known.live_rows + one.live_rows,
            known.unread + one.unread,
            min(firsts, default=0),
            max(known.last_ns, one.last_ns),
        )
    return [found[partition] for partition in sorted(found)]
