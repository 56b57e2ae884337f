"""From text without types (CSV, logfmt, access logs) to values: one rule for all.

Text that is exactly how JSON writes a number becomes that number, `true` and `false` become
booleans, an empty text means that the field is absent, everything else stays text. So `007`,
`1.2.3` and `+1` stay text, and so do integers beyond 64 bits and numbers beyond every double: no
digit of an integer changes.
"""

import math
import re

from common.scan.json_tokens import INT64_MAX, INT64_MIN

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})((?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,2})?)")
_BOOLEANS = {"true": True, "false": False}


def typed(text: str) -> str | int | float | bool | None:
    """The value that a text stands for, None if it is absent."""
    number = _NUMBER.fullmatch(text)
    if number is None:
        return _BOOLEANS.get(text, text) if text else None
    if number[1]:
        value = float(text)
        return value if math.isfinite(value) else text
    whole = int(text)
    return whole if INT64_MIN <= whole <= INT64_MAX else text
