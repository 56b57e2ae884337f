"""Generated expressions and the rows that they are tried on: values of every type in each field."""

from itertools import product
from typing import Any

from hypothesis import strategies as st

from query.expressions.nodes import Value

FIELDS = ("x", "y", "n", "d", "s")  # any type, any type, integers, doubles, strings
NUMBERS: list[Any] = [
    0, 1, -1, 5, 50, 2**53, 2**53 + 1, -(2**63), 2**63 - 1, 0.5, 50.0, -0.0, 1e20, -2.5, 1e300,
    float("nan"), float("inf"), 1.5e9, 9223372036854775808.0,
]  # fmt: skip
TEXTS = [
    "", "5", " 5", "50.0", "1_0", "nan", "true", "a", "ab", "A-1 b-22", "b'\"; --", "ü\0x", "$x",
    "2026-02-28T23:59:59.123456789Z", "2026-02-30T00:00:00Z", "2024-02-29T12:00:00+02:30",
]  # fmt: skip
ANYTHING: list[Any] = [*NUMBERS, *TEXTS, True, False, None, None]


def rows() -> list[dict[str, Value]]:
    """Every pair of some values in x and y, and values of one type in the other fields."""
    whole = [one for one in NUMBERS if isinstance(one, int)]
    real = [one for one in NUMBERS if isinstance(one, float)]
    pairs = list(product(ANYTHING, ANYTHING[::3]))
    made = []
    for at, (x, y) in enumerate(pairs):
        row = {"x": x, "y": y, "n": whole[at % len(whole)], "d": real[at % len(real)]}
        row["s"] = TEXTS[at % len(TEXTS)]
        if at % 5 == 0:
            del row[("n", "d", "s")[at % 3]]
        made.append({name: value for name, value in row.items() if value is not None})
    return made


def full_rows() -> list[dict[str, Value]]:
    """Each field has a value in every row, of one type: what is known of them is used."""
    small, real = [-3, 0, 1, 5, 50, 200], [one for one in NUMBERS if isinstance(one, float)]
    whole = [one for one in NUMBERS if isinstance(one, int)]
    return [
        {"x": x, "y": y, "n": whole[at % len(whole)], "d": real[at % 4], "s": TEXTS[at % 9]}
        for at, (x, y) in enumerate(product(small, real))
    ]


def quoted(value: str) -> str:
    """A text as an expression has it."""
    return '"' + "".join(
        f"\\U{ord(c):08x}" if c in '"\\' or not c.isprintable() else c for c in value
    ) + '"'  # fmt: skip


def literal(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(value) if isinstance(value, str) else repr(value)


LITERALS = st.sampled_from(
    [literal(one) for one in ANYTHING if one == one and one not in (float("inf"),)]
)
COLUMNS = st.sampled_from([f"${name}" for name in (*FIELDS, "none")])
PATTERNS = st.sampled_from(
    ["`[a-z]+`", "`([A-Z])-([0-9]+)`", "`^5`", r"`\d+`", r"`(?P<word>b)-`", "`(?i)a`", r"`\(`"]
)
FORMATS = st.sampled_from(
    ['"%Y-%m-%d %H:%M:%S"', '"%F %T %Z%z"', '"%C %e %g %G %s %j"', '"%c|%D|%r|%R"',
     '"%a %A %b %B %h"', '"%u %U %V %w %W %y %I %p %M"', '"%% %n %t x"', '""', '"%x %X %%s"']
)  # fmt: skip
SIZES = st.sampled_from(["1", "10", "0.5", "2.5e3"])
INFIX = ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "=", "!=", "AND", "OR"]


def expressions(leaves: int = 8) -> st.SearchStrategy[str]:
    """Texts of valid expressions."""
    return st.recursive(st.one_of(COLUMNS, COLUMNS, LITERALS), _calls, max_leaves=leaves)


def _calls(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    def call(name: str, *args: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.tuples(*args).map(lambda some: f"{name}({', '.join(some)})")

    def many(name: str, least: int) -> st.SearchStrategy[str]:
        listed = st.lists(inside, min_size=least, max_size=least + 2)
        return listed.map(lambda some: f"{name}({', '.join(some)})")

    cases = st.lists(st.tuples(LITERALS.filter(lambda one: one != "null"), inside), min_size=1,
                     max_size=3)  # fmt: skip
    switch = st.tuples(inside, cases, st.one_of(st.just(""), inside.map(lambda one: f", {one}")))
    return st.one_of(
        st.tuples(inside, st.sampled_from(INFIX), inside).map(lambda s: f"({s[0]} {s[1]} {s[2]})"),
        inside.map(lambda one: f"!{one}"),
        st.one_of([many(name, 2) for name in ("IF", "IN")]),
        st.one_of([many(name, 1) for name in ("COALESCE", "AND", "OR", "MIN", "MAX", "CONCAT")]),
        st.one_of([many(name, 1) for name in ("SUM", "MUL")]),
        st.one_of([
            call(name, inside, inside)
            for name in ("LT", "LTE", "GT", "GTE", "EQUALS", "SUB", "DIV", "MOD", "STARTS_WITH",
                         "ENDS_WITH", "CONTAINS")
        ]),
        st.one_of([
            call(name, inside)
            for name in ("EXISTS", "NOT", "LOG10", "INT", "FLOAT", "BOOL", "STRING", "TO_LOWER",
                         "LENGTH", "UNIX_TIMESTAMP", "METRO_HASH")
        ]),
        st.one_of([
            call(name, inside, PATTERNS) for name in ("REG_MATCH", "REG_VALUE", "REG_COUNT")
        ]),
        call("FORMAT_TIME", FORMATS, inside),
        call("BUCKET", inside, SIZES),
        call("BUCKET", inside, SIZES, st.sampled_from(["0", "-5.5"])),
        call("BUCKET", inside, SIZES, st.just("-5.5"), st.sampled_from(["30", "7.5"])),
        call("LENGTH", inside, st.sampled_from(['"bytes"', '"chars"'])),
        st.sampled_from(["EVENT_TIMESTAMP()", "RAND()"]),
        switch.map(lambda s: f"SWITCH({s[0]}, {', '.join(f'{c}, {r}' for c, r in s[1])}{s[2]})"),
    )  # fmt: skip
