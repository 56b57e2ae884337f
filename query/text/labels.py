"""Whether what ORDER BY, HAVING and the select list name is part of the result."""

from query.text.calculations import label_of, unknown_calculation
from query.text.cursor import Cursor, Spec
from query.tokens.errors import QueryTextError
from query.tokens.lexer import Token

Named = list[tuple[Token, Spec]]


def unknown_labels(
    cursor: Cursor,
    spec: Spec,
    columns: list[Token],
    orders: Named,
    havings: Named,
    formulas: list[str],
) -> list[QueryTextError]:
    """A fault for each name that is no part of the result.

    columns: fields of the select list, which GROUP BY must name. orders, havings: what is named
    there, each with its token. formulas: their names.
    """
    breakdowns: list[str] = spec.get("breakdowns", [])
    found = [unknown_calculation(cursor, one) for one in columns if one.text not in breakdowns]
    calculations: list[Spec] = spec.get("calculations", [{"op": "COUNT"}])
    labels = [one.get("name") or label_of(one) for one in calculations]
    ordered = [*labels, *map(label_of, calculations), *formulas, *breakdowns]
    found += _unknown(cursor, "ORDER BY", orders, ordered)
    return found + _unknown(cursor, "HAVING", havings, list(map(label_of, calculations)))


def _unknown(cursor: Cursor, clause: str, named: Named, known: list[str]) -> list[QueryTextError]:
    found = []
    for token, wanted in named:
        label = label_of(wanted) if "op" in wanted else wanted["column"]
        if label in known:
            continue
        if "op" in wanted:
            some = list(dict.fromkeys(known))[:3]
            hint = f"calculate it, too: {', '.join([*some, label])[:200]} ..."
        elif label.lower() in ("time", "timestamp"):
            hint = "steps are in the order of time; groups have none"
        else:
            hint = f"group by it, or order by one of: {', '.join(dict.fromkeys(known))[:200]}"
        why = f"{clause} names {label[:60]}, which is not part of the result"
        found.append(cursor.fail(why, token, hint))
    return found
