"""Conditions as people write them mean one specification; what is unclear is refused."""

from typing import Any

import pytest

from query.text.parser import parse_query
from query.tokens.errors import QueryTextError

NOW_NS = 1_790_000_000 * 10**9


def filters(condition: str) -> dict[str, Any]:
    spec = parse_query(f"COUNT WHERE {condition}", NOW_NS).spec
    return {name: spec[name] for name in ("filters", "filter_combination") if name in spec}


def one(column: str, op: str, *value: object) -> dict[str, Any]:
    return {"column": column, "op": op} | ({"value": value[0]} if value else {})


def group(combination: str, *held: dict[str, Any]) -> dict[str, Any]:
    return {"filter_combination": combination, "filters": list(held)}


A1, B2, C3 = one("a", "=", 1), one("b", "=", 2), one("c", "=", 3)


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("a == 1 && b === 2", [A1, B2]),
        ('a <> 1 AND b !== "x"', [one("a", "!=", 1), one("b", "!=", "x")]),
        ("a≥5 and b≤-2.5", [one("a", ">=", 5), one("b", "<=", -2.5)]),
        ("(a = 1 OR b = 2) AND c = 3", [group("OR", A1, B2), C3]),
        ("((a = 1) AND (b = 2 AND c = 3))", [A1, B2, C3]),
        ("NOT a = 1", [one("a", "!=", 1)]),
        ("NOT NOT a = 1", [A1]),
        ("!(a = 1)", [one("a", "!=", 1)]),
        ("NOT a >= 1", [group("NONE", one("a", ">=", 1))]),
        ("NOT (a = 1 OR b = 2)", [group("NONE", A1, B2)]),
        ("NOT (a = 1 AND b = 2)", [group("NONE", group("AND", A1, B2))]),
        ("NOT NOT (a = 1 OR b = 2) AND c = 3", [group("OR", A1, B2), C3]),
        ("error", [one("error", "=", True)]),
        ("NOT ok AND a = 1 AND `b c`", [one("ok", "!=", True), A1, one("b c", "=", True)]),
        ("a BETWEEN 1 AND 5 AND b = 2", [one("a", ">=", 1), one("a", "<=", 5), B2]),
        (
            "a NOT BETWEEN 1 AND 5",
            [group("NONE", group("AND", one("a", ">=", 1), one("a", "<=", 5)))],
        ),
        ("a = null AND b != NULL", [one("a", "does-not-exist"), one("b", "exists")]),
        ("a IS NULL AND b IS NOT NULL", [one("a", "does-not-exist"), one("b", "exists")]),
        ("a IS TRUE AND b IS NOT FALSE", [one("a", "=", True), one("b", "!=", False)]),
        ("a EXISTS AND b NOT EXISTS", [one("a", "exists"), one("b", "does-not-exist")]),
        ("a is not in (1)", [one("a", "not-in", [1])]),
        ("a in (1,200)", [one("a", "in", [1, 200])]),
        (
            "a !in ('x') and b !contains y",
            [one("a", "not-in", ["x"]), one("b", "does-not-contain", "y")],
        ),
        ("a does_not_contain q", [one("a", "does-not-contain", "q")]),
        (
            "a startswith b and c ENDS WITH 5.0",
            [one("a", "starts-with", "b"), one("c", "ends-with", "5.0")],
        ),
        ('a =~ "x.*" and b ~ y', [one("a", "matches", "x.*"), one("b", "matches", "y")]),
        (
            'a !~ "x" and b NOT MATCHES "y"',
            [one("a", "does-not-match", "x"), one("b", "does-not-match", "y")],
        ),
        ('a LIKE "x%"', [one("a", "starts-with", "x")]),
        ('a LIKE "%x"', [one("a", "ends-with", "x")]),
        ('a NOT LIKE "%x%"', [one("a", "does-not-contain", "x")]),
        ('a LIKE "x"', [one("a", "matches", "(?s)^x$")]),
        ('a LIKE "x_.%"', [one("a", "matches", r"(?s)^x.\..*$")]),
        (r'a LIKE "100\%%"', [one("a", "starts-with", "100%")]),
        ('a NOT ILIKE "%Err%"', [one("a", "does-not-match", "(?is)^.*Err.*$")]),
        (
            "last = 1 AND `where` = 2 AND in = 3",
            [one("last", "=", 1), one("where", "=", 2), one("in", "=", 3)],
        ),
        ("`a`` b` = 1", [one("a` b", "=", 1)]),
        ("`a,\nb` = 1", [one("a,\nb", "=", 1)]),
        ("parent.id = x AND `root.x` = 1", [one("parent.id", "=", "x"), one("root.x", "=", 1)]),
        ("a = ٣ and b = ３", [one("a", "=", "٣"), one("b", "=", "３")]),
        ("a = 99999999999999999999", [one("a", "=", 1e20)]),
        ("a = 9223372036854775807", [one("a", "=", 2**63 - 1)]),
        ("a = 1 -- b = 2", [A1]),
    ],
)  # fmt: skip
def test_conditions_that_all_have_to_match(condition: str, held: list[dict[str, Any]]) -> None:
    assert filters(condition) == {"filters": held}


def test_and_binds_closer_than_or() -> None:
    both = group("AND", A1, B2)
    assert filters("a = 1 AND b = 2 OR c = 3") == group("OR", both, C3)
    assert filters("c = 3 || a = 1 && b = 2") == group("OR", C3, both)
    assert filters("a = 1 OR (b = 2 OR c = 3)") == group("OR", A1, B2, C3)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (r'"C:\temp\new"', "C:\\temp\\new"),
        (r'"C:\temp\"', "C:\\temp\\"),
        (r"'\d+\\'", r"\d+\\"),
        ('"say ""hi"""', 'say "hi"'),
        ("'it''s \"so\"'", 'it\'s "so"'),
        ('"a\nb\tc"', "a\nb\tc"),
        (r'E"a\nb\t\\ \" \' \` \x41\u00e9\U0001f600\0"', "a\nb\t\\ \" ' ` Aé\U0001f600\0"),
        (r"e'\ud83d\ude00 '''", "\U0001f600 '"),
    ],
)
def test_quoted_text_is_meant_as_it_is_typed(typed: str, meant: str) -> None:
    assert filters(f"p = {typed}") == {"filters": [one("p", "=", meant)]}
    name = typed.replace('"', "`").replace("'", "`")
    if "`" not in meant and "'" not in meant and '"' not in meant:
        assert filters(f"{name} = 1") == {"filters": [one(meant, "=", 1)]}


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("duration_ms > 1s", 1000),
        ("duration_ms > 1.5m", 90_000),
        ("duration_ms > 1.5 s", 1500),
        ("(duration_ms > 200 ms)", 200),
        ("duration_ms > 200 ms AND a = 1", 200),
        ("duration_ms > 200 ms LAST 1h", 200),
        ("duration_ms IN (1 s, 200 ms)", [1000, 200]),
        ("size_bytes >= 2 MiB", 2_097_152),
        ("cpu_pct > 80 %", 80),
        ('zip = "007"', "007"),
        ("n > 007", 7),
        ("n = 0", 0),
        ("f = 0.5", 0.5),
        ("http.duration.us >= 2ms", 2000),
        ("durationMs > 1h", 3_600_000),
        ("wait_ns < 1us", 1000),
        ("age_seconds > 500ms", 0.5),
        ("elapsed_s = 2m", 120),
        ("body_bytes > 1.5MB", 1_500_000),
        ("mem_mib > 1GiB", 1024),
        ("size > 10k", 10_000),
        ("size > -2.5M", -2_500_000),
        ("size_bytes = 10k", 10_000),
        ("cpu_pct > 5%", 5),
        ("hit_ratio < 5%", 0.05),
        ('size = "10k"', "10k"),
        ("version = v2", "v2"),
        ("day > 2026-01-31", "2026-01-31"),
    ],
)
def test_units_are_read_where_the_name_of_the_field_tells_its_own(
    condition: str, value: object
) -> None:
    found = filters(condition)["filters"][0]["value"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("condition", "marked", "hint"),
    [
        ("duration > 1s", "1s", "does not tell in which unit of time it is"),
        ("status > 5%", "5%", "write 5 if it is, or 0.05 if it is a part of 1"),
        ("memory > 5MB", "5MB", "write the number of bytes: 5000000"),
        ("duration_ms > 10M", "10M", "may mean minutes or millions"),
        ("size = 10k", "10k", 'write 10000 or "10k"'),
        ("x = 1,000", "1,000", "write 1000"),
        ("x > 1_000", "1_000", "write 1000"),
        ("x > null", "null", "IS NULL"),
        ("x in (1, null)", "null", "OR x IS NULL"),
        ("x contains null", "null", "IS NULL"),
        ("x = 1e999", "1e999", "larger than any number"),
        ("x IS 5", "IS 5", "compared with ="),
        ("x BETWEEN 5 AND 1", "5 AND 1", "the smaller value first"),
        ("x BETWEEN 1 AND b", "1 AND b", "one of these is a number and one a text"),
        ("x =~ /foo/i", "/foo/i", "slashes"),
        ('x ~* "foo"', "~*", "(?i)"),
        (r'x LIKE "a\b"', r'"a\b"', "backslash"),
        ("x in [1, 2]", "[1", "a list stands in parentheses"),
        ("x in 5", "5", "a list stands in parentheses"),
        ("zip = 007", "007", 'write 7 or "007"'),
        ("zip in (1, 007)", "007", 'write 7 or "007"'),
        ("n = \u22125", "\u2212", "write -5"),
        ("n > \u20131.5s", "\u2013", "write -1.5s"),
        ("status:500", "status:500", "write status = 500"),
        ("a = 1 AND status:5xx", "status:5xx", "write status = 5xx"),
        ("status = 500 OR 503", "503", "name IN (1, 2)"),
        ('path CONTAINS "a" OR "b"', '"b"', "name IN (1, 2)"),
        ("(s = a || b) AND c = d", "b", "name IN (1, 2)"),
        ("500 <= status", "500", "the field stands on the left"),
        ("EXISTS(error)", "EXISTS", "write error EXISTS"),
        ("NOT isnull(error)", "isnull", "write error IS NULL"),
        ("status = 1 k", "1 k", 'write 1000 or "1 k"'),
        ("duration > 1 s", "1 s", "does not tell in which unit of time it is"),
        ("ms_total > 200 wonders", "wonders", "did not expect"),
        ("x contians y", "contians", "did you mean CONTAINS?"),
        ("x = now()", "now", "cannot be calculated"),
        ("lower(x) = y", "lower", "x ILIKE"),
        ("COUNT(x) > 5", "COUNT", "HAVING COUNT > 5"),
        ("x = 1 AND", "", "expected a condition"),
        ("x = 1 OR failed", "failed", "each condition has a field and a comparison"),
        ("LAST 1h", "LAST", "stands in backticks"),
        ("(x = 1", "(", "never closed"),
        ("(x = 1 y = 2)", "y", "expected AND, OR or )"),
        ("x = 1)", ")", "did not expect"),
        ("((((((((((x = 1))))))))))", "(", "at most 8 deep"),
        ("x = “y”", "“", "typographic quote"),
        ("x = a\u200bb", "\u200b", "invisible character here (U+200B)"),
        ('x = "y', '"y', "written twice"),
        (r'x = "say \"hi\""', "hi\\", "a quote inside quotes is written twice"),
        (r'x = E"a\qb"', r"\q", "no escape that is known"),
        (r'x = E"\u12"', r"\u12", "needs 4 hexadecimal digits"),
        (r'x = E"\ud83d"', r"\ud83d", "surrogate"),
        ("x > limit_ms / 2", "/", "nothing is calculated"),
    ],
)
def test_what_is_not_clear_is_refused_in_its_place(condition: str, marked: str, hint: str) -> None:
    text = f"COUNT WHERE {condition}"
    with pytest.raises(QueryTextError) as caught:
        parse_query(text, NOW_NS)
    assert text[caught.value.start : caught.value.end] == marked
    assert hint in str(caught.value)


def test_conditions_are_bounded() -> None:
    many = " OR ".join(f"a = {i}" for i in range(101))
    with pytest.raises(QueryTextError, match="at most 100 conditions"):
        filters(many)
    assert len(filters(many.rpartition(" OR ")[0])["filters"]) == 100


def test_the_mark_stands_under_the_word_whatever_stands_before_it() -> None:
    with pytest.raises(QueryTextError) as caught:
        parse_query('COUNT\nWHERE 名 = "日本"\tand 名 wrong 5', NOW_NS)
    why, line, mark, _hint = str(caught.value).split("\n")
    assert (why, line) == ("expected a comparison", '  WHERE 名 = "日本" and 名 wrong 5')
    assert mark == " " * (2 + len("WHERE xx = ") + len('"xxxx" and xx ')) + "^^^^^"
