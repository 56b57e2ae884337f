"""A guard against a wrong format, which would make hundreds of fields out of words."""

from collections.abc import Iterator
from typing import Final

from bellwether.send.event import Parsed, UnknownFormat

# Programs have tens of fields, large systems hundreds; words of a syslog read as logfmt make
# thousands
FIELD_NAMES_MAX: Final = 1_000


def bounded(items: Iterator[Parsed], kind: str) -> Iterator[Parsed]:
    """The same items, until their names are too many. Raises UnknownFormat."""
    seen: set[str] = set()
    for item in items:
        if item.members is not None and not seen.issuperset(item.members):
            seen.update(item.members)
            if len(seen) > FIELD_NAMES_MAX:
                raise UnknownFormat(
                    f"line {item.line}: as {kind} the file has more than {FIELD_NAMES_MAX:,} "
                    "fields so far: is it another --format? Text that holds no key=value pairs is "
                    "read with --format text, anything else with --pattern"
                )
        yield item
