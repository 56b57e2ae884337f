"""The columns of rows that say whether a searched text is in them, and which texts are to be."""

import hashlib
from collections.abc import Iterable, Iterator

from query.plan.parts.conditions import Filter, FilterOp
from segment.columns import FieldType

TEXT_TYPES = (FieldType.STRING, FieldType.JSON)


def wanted_texts(filters: Iterable[Filter]) -> Iterator[str]:
    """The texts that a match may hold: of searches that are not negated."""
    for one in filters:
        if one.op is FilterOp.SEARCH:
            yield str(one.values[0])
        elif one.op in (FilterOp.ALL_OF, FilterOp.ANY_OF):
            yield from wanted_texts(one.inside)


def found_column(text: str) -> str:
    """The column that says whether a row holds the text: a name that nobody chooses."""
    return f"w_{hashlib.sha256(text.encode()).hexdigest()[:32]}"
