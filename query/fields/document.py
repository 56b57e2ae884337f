"""Fields as JSON, as both routes show them: members of one name mean the same in both."""

from collections.abc import Sequence
from typing import Any, Final

from common.metadata import DerivedColumn
from common.model.times.written import rfc3339
from query.http.column_metadata import ColumnMetadata, described_facts
from query.wire.field_facts import TEXTS, FieldFacts, Value

TYPE_NAMES: Final = {"i": "integer", "f": "float", "b": "boolean", "s": "string", "j": "json"}


def named(name: str, types: Sequence[str], last_ns: int, known: ColumnMetadata) -> dict[str, Any]:
    """What is known of a field by its name. types: letters. last_ns: append time, unix ns."""
    found: dict[str, Any] = {
        "name": name,
        "types": [TYPE_NAMES[one] for one in types],
        "last_indexed": rfc3339(last_ns),
    }
    defined = known.definitions.get(name)
    if defined is not None and not defined.deleted_ns and defined.description:
        found["description"] = defined.description
    return found | described_facts(known.facts.get(name))


def stored(facts: FieldFacts, rows: int, samples: int, known: ColumnMetadata) -> dict[str, Any]:
    """A field with what its stored values are. rows: of the dataset. samples: values listed."""
    defined = known.definitions.get(facts.name)
    least, greatest = _ends(facts)
    of_field = max(1, facts.rows)
    return named(facts.name, sorted(facts.types), facts.last_ns, known) | {
        "type_shares": {
            TYPE_NAMES[letter]: round(one.rows / of_field, 6)
            for letter, one in sorted(facts.types.items())
        },
        # of the rarest fields of a wide segment the names alone are known
        "stored": facts.rows or None,
        "share": round(min(1.0, facts.rows / rows), 6) if facts.rows and rows else None,
        "distinct": facts.distinct or None,
        "least": least,
        "greatest": greatest,
        "values": values(facts, samples),
        "first_indexed": rfc3339(facts.first_ns),
        "bytes": facts.stored_bytes,
        "calculated": False,
        "hidden": defined is not None and not defined.deleted_ns and defined.hidden,
    }


def values(facts: FieldFacts, most: int) -> list[dict[str, Any]]:
    """Frequent values with the numbers of stored events."""
    return [{"value": value, "stored": count} for _, value, count in facts.values[:most]]


def calculated(one: DerivedColumn) -> dict[str, Any]:
    """A field that is computed."""
    found = {"name": one.alias, "types": [], "calculated": True, "expression": one.expression}
    return found | ({"description": one.description} if one.description else {})


def _ends(facts: FieldFacts) -> tuple[Value | None, Value | None]:
    """The least and the greatest number, or of texts their beginnings."""
    numbers = [one for letter, one in facts.types.items() if letter in "if"]
    some = numbers or [one for letter, one in facts.types.items() if letter in TEXTS]
    some = some or list(facts.types.values())
    lows = [one.low for one in some if one.low is not None]
    highs = [one.high for one in some if one.high is not None]
    return min(lows, default=None), max(highs, default=None)
