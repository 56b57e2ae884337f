"""Types of tags: Zipkin's are texts, and numbers and booleans among them are stored as such.

Only where the text comes back the same: "007", "1.10", "1e3" and what has more digits than a
double or 64 bits remain texts, so that no id, version or number of a phone is changed.
"""

import re
from collections.abc import Mapping
from typing import Final

from common.model.times.api import INT64_MAX, INT64_MIN
from shepherd.zipkin.span import TagValue

_NUMBER: Final = re.compile(r"(-?(?:0|[1-9]\d{0,18}))(\.\d{1,18})?", re.ASCII)
_WORDS: Final = {"true": True, "false": False}
_STARTS: Final = frozenset("-0123456789tf")  # of texts that may be no text


def typed_tags(tags: Mapping[str, TagValue]) -> dict[str, TagValue]:
    """The tags with the values that their texts write."""
    found = dict(tags)
    for name, value in tags.items():
        if type(value) is str and value[:1] in _STARTS:
            found[name] = typed(value)
    return found


def typed(text: str) -> TagValue:
    """The number or boolean that a text writes, or the text."""
    found = _NUMBER.fullmatch(text)
    if found is None:
        return _WORDS.get(text, text)
    if found[2] is not None:
        number = float(text)
        return number if repr(number) == text else text
    whole = int(text)
    return whole if INT64_MIN <= whole <= INT64_MAX and text != "-0" else text
