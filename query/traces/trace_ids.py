"""The forms in which a trace's id may be stored, of one that a person writes.

OTLP's ids are stored as 32 lower-case digits, or the last 16 where the first are zeros. JSON events
have what was sent: in upper case, padded with zeros, with the dashes of a UUID.
"""

import re
from typing import Final

_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)
_SHORT, _LONG = 16, 32


def stored_forms(text: str) -> list[str]:
    """Each form once, the one that is written first. An id that is no number is only itself, in
    lower and in upper case.
    """
    digits = text.lower().replace("-", "")
    forms = [text, text.lower()]
    if _HEX.fullmatch(digits) and len(digits) <= _LONG:
        short = digits.lstrip("0").rjust(_SHORT, "0")
        long = digits.rjust(_LONG, "0")
        forms += [*([short] if len(short) == _SHORT else []), long]
        forms.append("-".join((long[:8], long[8:12], long[12:16], long[16:20], long[20:])))
    return list(dict.fromkeys([*forms, *(form.upper() for form in forms)]))


def exact_forms(common: str) -> list[str]:
    """The forms of which one id is the common form (`query.share.spans.parts.common_form`)."""
    forms = [common]
    if len(common) == _SHORT:
        forms.append(common.rjust(_LONG, "0"))
    return list(dict.fromkeys([*forms, *(form.upper() for form in forms)]))
