"""The forms in which a trace's id may be stored, of one that a person writes.

OTLP's ids are stored as 32 lower-case digits, or the last 16 where the first are zeros. JSON events
have what was sent: upper case, padded, with the dashes of a UUID.
"""

import re
from typing import Final

_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)
_SHORT, _LONG = 16, 32


def stored_forms(text: str) -> list[str]:
    """Each form once, the one that is written first. An id that is no number is only itself and
    itself in lower and upper case.
    """
    forms = [text, text.lower()]
    digits = text.lower().replace("-", "")
    if _HEX.fullmatch(digits) and len(digits) <= _LONG:
        short = digits.lstrip("0").rjust(_SHORT, "0")
        long = digits.rjust(_LONG, "0")
        forms += [short, long] if len(short) == _SHORT else [long]
        forms.append(f"{long[:8]}-{long[8:12]}-{long[12:16]}-{long[16:20]}-{long[20:]}")
    forms += [form.upper() for form in list(forms)]
    return list(dict.fromkeys(forms))
