"""The text form of a query, for people: `COUNT, P99(duration_ms) WHERE status >= 500 LAST 2h`.

    [SELECT] calculation, ... [WHERE condition AND|OR ...] [GROUP BY name, ...]
    [HAVING calculation op number AND ...] [ORDER BY calculation|name [ASC|DESC], ...]
    [LIMIT n] [EVERY duration] [LAST duration | SINCE time [UNTIL time]]

Keywords are of any case and clauses of any order. Names with blanks or odd characters are quoted
with backticks. The result is the API's query specification; errors point at the word.
"""

import difflib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from query.words import QueryTextError, Word, WordKind, split_words

Spec = dict[str, Any]

_CALCULATIONS = (
    *("COUNT", "SUM", "AVG", "MIN", "MAX", "COUNT_DISTINCT"),
    *("P001", "P01", "P05", "P10", "P20", "P25", "P50", "P75", "P80", "P90", "P95", "P99", "P999"),
    *("HEATMAP", "CONCURRENCY", "RATE_AVG", "RATE_SUM", "RATE_MAX"),
)
_ALIASES = {"MEDIAN": "P50", "DISTINCT": "COUNT_DISTINCT", "MEAN": "AVG", "AVERAGE": "AVG"}
_CLAUSES = ("WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "EVERY", "LAST", "SINCE", "UNTIL")
_COMPARISONS = {"=": "=", "==": "=", "!=": "!=", "<>": "!=", ">": ">", ">=": ">="} | {
    "<": "<",
    "<=": "<=",
}
_WORD_OPERATORS = ("starts-with", "ends-with", "contains", "exists", "in")
_NEGATED = {
    "starts-with": "does-not-start-with",
    "ends-with": "does-not-end-with",
    "contains": "does-not-contain",
    "exists": "does-not-exist",
    "in": "not-in",
}
_DIRECT = {op.upper(): op for op in (*_WORD_OPERATORS, *_NEGATED.values())}
_UNIT_S = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d|w))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")


def parse_text(text: str, now_s: int) -> Spec:
    """The specification that the text means. `now_s`: unix seconds that LAST and SINCE count from.

    Raises QueryTextError.
    """
    return _Parser(text, now_s).parse()


class _Parser:
    def __init__(self, text: str, now_s: int) -> None:
        self._text = text
        self._now_s = now_s
        self._words = split_words(text)
        self._at = 0
        self._spec: Spec = {}

    @property
    def _word(self) -> Word:
        return self._words[self._at]

    def _take(self) -> Word:
        word = self._word
        self._at = min(self._at + 1, len(self._words) - 1)
        return word

    def _fail(self, why: str, word: Word | None = None, hint: str = "") -> QueryTextError:
        word = word or self._word
        if word.kind is WordKind.END:
            why = f"{why}, but the query ends here"
        return QueryTextError(self._text, word.start, word.end, why, hint)

    def parse(self) -> Spec:
        """Read the whole text."""
        if self._word.is_keyword("SELECT"):
            self._take()
        if not self._word.is_keyword(*_CLAUSES) and self._word.kind is not WordKind.END:
            self._spec["calculations"] = self._list(self._calculation)
        clauses: dict[str, Callable[[], None]] = {
            "WHERE": self._where,
            "GROUP": self._group_by,
            "HAVING": self._having,
            "ORDER": self._order_by,
            "LIMIT": self._limit,
            "EVERY": self._every,
            "LAST": self._last,
            "SINCE": self._since,
            "UNTIL": self._until,
        }
        seen: set[str] = set()
        while self._word.kind is not WordKind.END:
            word = self._take()
            clause = word.text.upper() if word.kind is WordKind.NAME else ""
            if clause not in clauses:
                raise self._fail(f"did not expect {word.text!r} here", word, self._suggest(word))
            if clause in seen:
                raise self._fail(f"there is a second {clause}", word)
            seen.add(clause)
            clauses[clause]()
        if {"LAST", "SINCE"} <= seen or {"LAST", "UNTIL"} <= seen:
            raise self._fail("use LAST or SINCE/UNTIL, not both", self._words[0])
        return {"calculations": [{"op": "COUNT"}], **self._spec}

    @staticmethod
    def _suggest(word: Word, known: tuple[str, ...] = _CLAUSES) -> str:
        near = difflib.get_close_matches(word.text.upper(), known, 1)
        return f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"

    def _list(self, item: Callable[[], Any]) -> list[Any]:
        items = [item()]
        while self._word.is_symbol(","):
            self._take()
            items.append(item())
        return items

    def _name(self, what: str) -> str:
        word = self._take()
        if word.kind not in (WordKind.NAME, WordKind.QUOTED_NAME, WordKind.STRING):
            raise self._fail(f"expected {what}", word)
        return word.text

    def _calculation(self) -> Spec:
        word = self._take()
        op = word.text.upper()
        op = _ALIASES.get(op, op)
        if word.kind is not WordKind.NAME or op not in _CALCULATIONS:
            hint = self._suggest(word, _CALCULATIONS)
            raise self._fail(f"{word.text!r} is not a calculation", word, hint)
        calculation: Spec = {"op": op}
        if self._word.is_symbol("("):
            self._take()
            if self._word.kind is WordKind.NAME and self._word.text == "*":
                self._take()
            elif not self._word.is_symbol(")"):
                calculation["column"] = self._name("a field's name")
            if not self._take().is_symbol(")"):
                raise self._fail("expected )", self._words[self._at - 1])
        if "column" not in calculation and op not in ("COUNT", "CONCURRENCY"):
            raise self._fail(f"{op} needs a field, as in {op}(duration_ms)", word)
        if self._word.is_keyword("AS"):
            self._take()
            calculation["name"] = self._name("a name for the calculation")
        return calculation

    def _where(self) -> None:
        filters = [self._condition()]
        joined: str | None = None
        while self._word.is_keyword("AND", "OR"):
            word = self._take()
            if joined not in (None, word.text.upper()):
                raise self._fail("a query joins its conditions by AND or by OR, not by both", word)
            joined = word.text.upper()
            filters.append(self._condition())
        self._spec["filters"] = filters
        if joined == "OR":
            self._spec["filter_combination"] = "OR"

    def _condition(self) -> Spec:
        if self._word.kind is WordKind.SYMBOL or self._word.kind is WordKind.END:
            raise self._fail("expected a condition like status >= 500")
        column = self._name("a field's name")
        op = self._operator()
        condition: Spec = {"column": column, "op": op}
        if op in ("in", "not-in"):
            condition["value"] = self._values()
        elif op not in ("exists", "does-not-exist"):
            condition["value"] = self._value()
        return condition

    def _operator(self) -> str:
        word = self._take()
        if word.kind is WordKind.SYMBOL and word.text in _COMPARISONS:
            return _COMPARISONS[word.text]
        if word.kind is WordKind.NAME:
            text = word.text.upper().replace("_", "-")
            if text in _DIRECT:
                return _DIRECT[text]
            if text in ("NOT", "DOES") or text == "IS":
                return self._spelled_operator(word, text)
            if text in ("STARTS", "ENDS", "START", "END") and self._word.is_keyword("WITH"):
                self._take()
                return "starts-with" if text.startswith("START") else "ends-with"
        raise self._fail(
            "expected a comparison",
            word,
            "known: = != > >= < <= in contains starts-with ends-with exists, each also with NOT",
        )

    def _spelled_operator(self, first: Word, text: str) -> str:
        """NOT IN, DOES NOT CONTAIN, IS NULL, IS NOT NULL and their like."""
        negated = text == "NOT"
        if not negated and self._word.is_keyword("NOT"):
            self._take()
            negated = True
        if text == "IS":
            if not self._take().is_keyword("NULL"):
                raise self._fail("expected IS NULL or IS NOT NULL", first)
            return "exists" if negated else "does-not-exist"
        plain = {"CONTAIN": "contains", "EXIST": "exists"}
        word = self._take()
        upper = word.text.upper().replace("_", "-")
        if upper in ("START", "STARTS", "END", "ENDS") and self._word.is_keyword("WITH"):
            self._take()
            upper = "STARTS-WITH" if upper.startswith("START") else "ENDS-WITH"
        op = plain.get(upper, _DIRECT.get(upper, ""))
        if op not in _WORD_OPERATORS or not negated:
            raise self._fail("expected NOT IN, NOT CONTAINS, NOT EXISTS or the like", word)
        return _NEGATED[op]

    def _values(self) -> list[Any]:
        if not self._word.is_symbol("("):
            raise self._fail("expected a list like (200, 201)")
        self._take()
        values = self._list(self._value)
        if not self._take().is_symbol(")"):
            raise self._fail("expected , or )", self._words[self._at - 1])
        return values

    def _value(self) -> Any:
        word = self._take()
        if word.kind is WordKind.STRING:
            return word.text
        if word.kind is WordKind.NUMBER:
            return _number(word.text)
        if word.is_keyword("TRUE", "FALSE"):
            return word.is_keyword("TRUE")
        if word.kind is WordKind.NAME and not word.is_keyword(*_CLAUSES, "AND", "OR"):
            return word.text
        raise self._fail("expected a value", word, 'put text into quotes: "..."')

    def _group_by(self) -> None:
        self._expect_by()
        self._spec["breakdowns"] = self._list(lambda: self._name("a field's name"))

    def _order_by(self) -> None:
        self._expect_by()
        self._spec["orders"] = self._list(self._order)

    def _expect_by(self) -> None:
        if not self._take().is_keyword("BY"):
            raise self._fail("expected BY", self._words[self._at - 1])

    def _order(self) -> Spec:
        word = self._word
        name = _ALIASES.get(word.text.upper(), word.text.upper())
        order: Spec
        if word.kind is WordKind.NAME and name in _CALCULATIONS:
            order = self._calculation()
        else:
            order = {"column": self._name("a calculation or a field's name")}
        if self._word.is_keyword("DESC", "DESCENDING", "ASC", "ASCENDING"):
            down = self._take().is_keyword("DESC", "DESCENDING")
            order["order"] = "descending" if down else "ascending"
        return order

    def _having(self) -> None:
        havings = [self._having_condition()]
        while self._word.is_keyword("AND"):
            self._take()
            havings.append(self._having_condition())
        self._spec["havings"] = havings

    def _having_condition(self) -> Spec:
        calculation = self._calculation()
        word = self._take()
        if word.text not in _COMPARISONS:
            raise self._fail("expected a comparison: = != > >= < <=", word)
        number = self._take()
        if number.kind is not WordKind.NUMBER:
            raise self._fail("expected a number", number)
        having: Spec = {"calculate_op": calculation["op"]}
        if "column" in calculation:
            having["column"] = calculation["column"]
        return having | {"op": _COMPARISONS[word.text], "value": _number(number.text)}

    def _limit(self) -> None:
        word = self._take()
        if word.kind is not WordKind.NUMBER or not word.text.isdigit():
            raise self._fail("expected a whole number", word)
        self._spec["limit"] = int(word.text)

    def _every(self) -> None:
        self._spec["granularity"] = self._duration_s()

    def _last(self) -> None:
        self._spec["time_range"] = self._duration_s()

    def _duration_s(self) -> int:
        word = self._take()
        if not _DURATION.fullmatch(word.text):
            raise self._fail("expected a duration like 90s, 15m, 2h or 7d", word)
        parts = _DURATION_PART.findall(word.text)
        seconds = sum(float(amount) * _UNIT_S[unit] for amount, unit in parts)
        if seconds < 1:
            raise self._fail("a duration is at least one second", word)
        return round(seconds)

    def _since(self) -> None:
        self._spec["start_time"] = self._instant_s()
        if not any(word.is_keyword("UNTIL") for word in self._words):
            self._spec["end_time"] = self._now_s

    def _until(self) -> None:
        self._spec["end_time"] = self._instant_s()

    def _instant_s(self) -> int:
        """A time: RFC 3339, a date, unix seconds, or a duration ago."""
        word = self._take()
        if word.is_keyword("NOW"):
            return self._now_s
        if _DURATION.fullmatch(word.text):
            self._at -= 1
            seconds = self._duration_s()
            if self._word.is_keyword("AGO"):
                self._take()
            return self._now_s - seconds
        if word.kind is WordKind.NUMBER and word.text.isdigit():
            return int(word.text)
        try:
            when = datetime.fromisoformat(word.text)
        except ValueError:
            hint = "write 2026-01-31, 2026-01-31T12:00:00Z, unix seconds, or 3h"
            raise self._fail("expected a time", word, hint) from None
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)
