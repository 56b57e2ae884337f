"""Functions of times, which are unix seconds as doubles, to the microsecond, in UTC."""

from typing import Final

from query.expressions.sql.builder import Builder, Sql, text_literal
from query.expressions.sql.values import FLOAT, INT, STRING, Typed, first, typed_literal
from query.expressions.time_formats import COMPUTED, pieces

# RFC 3339, from year 1 on
_RFC_3339: Final = (
    "([1-9][0-9]{{3}}|0[1-9][0-9]{{2}}|00[1-9][0-9]|000[1-9])-[0-9]{{2}}-[0-9]{{2}}"
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
)
_FIRST_S: Final = -62_135_596_800  # year 1
_END_S: Final = 253_402_300_800  # year 10000
_SPECIAL: Final = {
    "%s": "epoch_us({t}) // 1000000",
    "%C": "lpad((year({t}) // 100)::VARCHAR, 2, '0')",
    "%e": "lpad(day({t})::VARCHAR, 2, ' ')",
    "%g": "lpad((isoyear({t}) % 100)::VARCHAR, 2, '0')",
}


def unix_timestamp(b: Builder, value: Typed) -> Typed:
    """UNIX_TIMESTAMP: of a time as RFC 3339 writes it, else absent."""
    if STRING not in value.parts:
        return typed_literal(None)
    held = b.bind(value.parts[STRING])
    # a leap second and the 30th of February are no times of DuckDB's
    return Typed({
        FLOAT: b.sql(f"CASE WHEN regexp_full_match({{}}, '{_RFC_3339}')"
                     " THEN epoch_us(TRY_CAST({} AS TIMESTAMPTZ))::DOUBLE / 1000000.0 END",
                     held, held)
    })  # fmt: skip


def event_timestamp(b: Builder, time_ns: Sql) -> Typed:
    """EVENT_TIMESTAMP: of the event."""
    return Typed({FLOAT: b.sql("({}::DOUBLE / 1000000000.0)", time_ns)}, certain=True)


def random(b: Builder, time_ns: Sql) -> Typed:
    """RAND: from 0 to 1, the same each time that an event is read: it follows from its time."""
    bits = "(md5_number_lower({}::VARCHAR) >> 11)::DOUBLE / 9007199254740992.0"
    return Typed({FLOAT: b.sql(bits, time_ns)}, certain=True)


def formatted(b: Builder, form: Typed, value: Typed) -> Typed:
    """FORMAT_TIME: absent unless it is a number of seconds from year 1 to 9999."""
    seconds = [value.parts[FLOAT]] if FLOAT in value.parts else []
    seconds += [b.sql("{}::DOUBLE", value.parts[INT])] if INT in value.parts else []
    if not seconds:
        return typed_literal(None)
    number = b.bind(first(b, seconds))
    time = b.bind(
        b.sql(f"CASE WHEN {{}} >= {_FIRST_S:d} AND {{}} < {_END_S:d}"
              " THEN make_timestamp(floor({} * 1000000.0)::BIGINT) END", number, number, number)
    )  # fmt: skip
    parts = [_piece(b, one, time) for one in pieces(str(form.literal))]
    written = b.join(" || ", parts or [text_literal("")])
    return Typed({STRING: b.sql("CASE WHEN {} IS NOT NULL THEN {} END", time, written)})


def _piece(b: Builder, piece: str, time: Sql) -> Sql:
    if piece == "%%":
        return text_literal("%")
    if not piece.startswith("%"):
        return text_literal(piece)
    if piece[1:] in COMPUTED:
        return b.sql(f"({_SPECIAL[piece].format(t='{0}')})::VARCHAR", time)
    return b.sql(f"strftime({{}}, '{piece}')", time)
