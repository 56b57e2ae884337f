"""Parses the clauses of a query text, and checks that they are consistent."""

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import NamedTuple

from common import limits
from common.model.names import ALL_DATASETS
from query.text.calculations import (
    calculation_op,
    label_of,
    read_calculation,
)
from query.text.clauses.groups import read_breakdowns, read_orders
from query.text.clauses.having import HavingClause
from query.text.clauses.let import read_let
from query.text.clauses.per import PerClause
from query.text.clauses.search import read_searches, with_searches
from query.text.clauses.time import TimeClauses
from query.text.cursor import CLAUSE_ALIASES, CLAUSE_HINTS, CLAUSES, Cursor, Spec
from query.text.formulas import Formulas
from query.text.labels import unknown_labels
from query.text.places import Place, Places
from query.text.times import ReferenceTime
from query.text.values import number_of
from query.text.where.comparisons import COMPARISONS
from query.text.where.conditions import read_conditions
from query.text.where.own_filters import OwnFilters
from query.tokens.errors import QueryTextError
from query.tokens.lexer import Token, TokenKind
from query.tokens.near import suggest

_SECOND_NS = 10**9
_TIME_MEMBERS = {"EVERY": "granularity", "COMPARE": "compare_time_offset_seconds"}
# Words that begin a clause and stand in others too: behind a fault they begin none.
_WITHIN_CLAUSES = ("BETWEEN", "BY", "FILTER")


class TextReading(NamedTuple):
    """What is understood of a text.

    spec: None if anything is not understood. dataset: as of TextQuery.
    range_words: the words of the time range, as they stand there; None without any.
    places: where the members of the specification stand. faults: what is not understood.
    """

    spec: Spec | None
    dataset: str | None
    range_words: str | None
    places: list[Place]
    faults: list[QueryTextError]


class TextQuery(NamedTuple):
    """A parsed query. dataset: the name after FROM, ALL_DATASETS for *; None without FROM."""

    spec: Spec
    dataset: str | None = None


def parse_query(text: str, now_ns: int, zone: tzinfo = UTC) -> TextQuery:
    """The specification of the text, and the dataset if it names one.

    now_ns: the present time for LAST and SINCE, in unix ns.
    zone: time zone of times without one.

    The specification of `SELECT *` is `{"rows": true, ...}`. Raises QueryTextError.
    """
    parser = _Parser(text, ReferenceTime(now_ns, zone))
    read = parser.parse()
    if parser.faults:
        raise parser.faults[0]
    return read


def read_text(text: str, now_ns: int, zone: tzinfo = UTC) -> TextReading:
    """All that can be told of a text, with every fault that was found. Arguments as above."""
    try:
        parser = _Parser(text, ReferenceTime(now_ns, zone))
        read = parser.parse()
    except QueryTextError as error:  # of its words, before any clause
        return TextReading(None, None, None, [], [error])
    spec = None if parser.faults else read.spec
    words, places = parser.range_words, parser.places.found
    return TextReading(spec, read.dataset, words, places, parser.faults)


def parse_text(text: str, now_s: int, zone: tzinfo = UTC) -> Spec:
    """Only the specification. now_s: the present time, in unix seconds. Raises QueryTextError."""
    return parse_query(text, now_s * _SECOND_NS, zone).spec


class _Parser:
    def __init__(self, text: str, present: ReferenceTime) -> None:
        self._cursor = Cursor(text)
        self._times = TimeClauses(self._cursor, present)
        self._spec: Spec = {}
        self._dataset: str | None = None
        self._columns: list[Token] = []  # fields in the select list, which GROUP BY must name
        self._orders: list[tuple[Token, Spec]] = []
        self._seen: dict[str, Token] = {}
        self._labels: set[str] = set()
        self._own_filters = OwnFilters(self._cursor)
        self._searches: list[Spec] = []
        self._per = PerClause(self._cursor)
        self._having = HavingClause(self._cursor, self._per)
        self._formulas = Formulas(self._cursor)
        self.places = Places(self._cursor)
        self.faults: list[QueryTextError] = []

    @property
    def range_words(self) -> str | None:
        """The words of the range as they stand in the text, with one blank between two."""
        return self._times.words

    def parse(self) -> TextQuery:
        """What is understood; `faults` has what is not."""
        cursor = self._cursor
        self._guarded(self._beginning)
        while cursor.next.kind is not TokenKind.END:
            self._guarded(self._clause)
        self._guarded(self._end)
        if "rows" in self._spec:
            return TextQuery(self._spec, self._dataset)
        return TextQuery({"calculations": [{"op": "COUNT"}], **self._spec}, self._dataset)

    def _guarded(self, step: Callable[[], None]) -> None:
        """A step; where it fails the next clause is read, so that its faults are found too."""
        cursor = self._cursor
        began = cursor.at
        try:
            step()
        except QueryTextError as error:
            self.faults.append(error)
            # the word itself may begin a clause: `WHERE a = GROUP BY b`
            marked = next(at for at, one in enumerate(cursor.tokens) if one.end >= error.start)
            cursor.at = max(marked, min(began + 1, len(cursor.tokens) - 1))
            if len(self.faults) >= limits.QUERY_TEXT_FAULTS_MAX:
                cursor.at = len(cursor.tokens) - 1
            while not cursor.at_clause() or cursor.next.is_keyword(*_WITHIN_CLAUSES):
                cursor.take()

    def _beginning(self) -> None:
        cursor = self._cursor
        while cursor.next.is_keyword("LET") and cursor.peek(2).is_symbol("="):
            cursor.take()
            self._let()
        if cursor.take_keyword("SELECT", "CALCULATE", "SHOW", "VISUALIZE"):
            self._sql_after_select()
        if cursor.next.is_keyword("*"):
            cursor.take()
            self._spec["rows"] = True
            if cursor.next.is_symbol(","):
                raise cursor.fail("* is the whole event; nothing stands beside it")
        elif cursor.next.kind is TokenKind.STRING:
            self._seen["SEARCH"] = cursor.next
            self._search()
        elif not cursor.at_clause() and not cursor.next.is_symbol(";"):
            cursor.listed(self._selected)

    def _end(self) -> None:
        """What clauses mean together."""
        if self.faults:
            return
        self._spec = with_searches(self._spec, self._searches) | self._times.result()
        self._spec = self._formulas.added_to(self._spec)
        self._check()

    def _let(self) -> None:
        read_let(self._cursor, self._spec, self.places)

    def _search(self) -> None:
        first = self._cursor.next
        self._searches = read_searches(self._cursor)
        self.places.add("filters", first)

    def _clause(self) -> None:
        cursor = self._cursor
        token = cursor.take()
        if token.is_symbol(";") and cursor.next.kind is TokenKind.END:
            return
        word = token.text.upper() if token.kind is TokenKind.NAME else ""
        clause = CLAUSE_ALIASES.get(word, word)
        if clause not in CLAUSES:
            raise self._unexpected(token)
        if clause == "LET":
            self._let()
            return
        if clause in self._seen:
            raise cursor.fail(f"there is a second {clause}", token)
        self._seen[clause] = token
        if clause == "FROM":
            self._from()
        elif clause == "WHERE":
            self._where()
        elif clause == "SEARCH":
            self._search()
        elif clause == "PER":
            self._spec["per"] = self._per.read()
            self.places.add("per", token)
        elif clause == "GROUP":
            self._spec["breakdowns"] = read_breakdowns(cursor, token, self.places)
        elif clause == "HAVING":
            calculations = self._spec.get("calculations", [])
            names = self._formulas.names
            self._spec["havings"] = self._having.read(calculations, names, self.places)
        elif clause == "ORDER":
            self._orders = read_orders(cursor, token, self.places)
            self._spec["orders"] = [order for _, order in self._orders]
        elif clause == "LIMIT":
            self._limit()
            self.places.add("limit", token)
        elif clause == "UNWEIGHTED":
            self._spec["usage_mode"] = True
            self.places.add("usage_mode", token)
        else:
            self._times.read(clause, token)
            self.places.add(_TIME_MEMBERS.get(clause, "time_range"), token)

    def _where(self) -> None:
        first = self._cursor.at
        read = read_conditions(self._cursor)
        self._spec |= read
        self.places.conditions(read["filters"], read.get("filter_combination", "AND"), first)

    def _unexpected(self, token: Token) -> Exception:
        shown = self._cursor.text[token.start : token.end][:40]
        hint = CLAUSE_HINTS.get(token.text.upper(), "") if token.kind is TokenKind.NAME else ""
        after = self._cursor.next
        if not hint and token.kind is TokenKind.NAME:
            hint = suggest(token.text, CLAUSES)
        if token.is_symbol(";"):
            hint = "one query at a time"
        elif token.kind is TokenKind.NAME and token.text[0] in "+-*/%":
            hint = "nothing is calculated of fields; of calculations it is: SUM(x) / COUNT AS y"
        elif (
            after.kind is TokenKind.SYMBOL
            and after.text in COMPARISONS
            and "WHERE" not in self._seen
        ):
            hint = f"conditions begin with WHERE: WHERE {shown} {after.text} ..."
        return self._cursor.fail(f"did not expect {shown!r} here", token, hint)

    def _sql_after_select(self) -> None:
        """DISTINCT and TOP, which SQL allows after SELECT."""
        cursor = self._cursor
        if cursor.next.is_keyword("DISTINCT") and not cursor.peek().is_symbol("("):
            hint = "COUNT GROUP BY name lists the values of name; COUNT_DISTINCT(name) counts them"
            raise cursor.fail("results are groups, which are distinct", hint=hint)
        if cursor.next.is_keyword("TOP") and cursor.peek().kind is TokenKind.NUMBER:
            self._seen["LIMIT"] = cursor.take()
            self._limit()

    def _selected(self) -> None:
        """A calculation of the select list, a formula, or a field, which GROUP BY must name."""
        cursor = self._cursor
        token = cursor.next
        if (formula := self._formulas.read()) is not None:
            self.places.add("formulas", token, len(self._formulas.names) - 1)
            self._add_label(formula, token)
            return
        token, after = cursor.next, cursor.peek()
        alone = after.is_symbol(",", ";") or after.kind is TokenKind.END
        alone = alone or after.is_keyword(*CLAUSES, *CLAUSE_ALIASES, "AS")
        names_field = token.kind in (TokenKind.NAME, TokenKind.QUOTED_NAME)
        if names_field and calculation_op(token) is None and alone:
            self._columns.append(cursor.take())
            if after.is_keyword("AS"):
                raise cursor.fail("only calculations can be given a name", after)
            return
        if after.kind is TokenKind.SYMBOL and after.text in COMPARISONS:
            hint = f"conditions begin with WHERE: WHERE {token.text} {after.text} ..."
            raise cursor.fail("expected a calculation like COUNT", token, hint)
        calculation = self._own_filters.read(read_calculation(cursor))
        name = calculation.get("name") or label_of(calculation)
        self._add_label(name, token)
        calculations = self._spec.setdefault("calculations", [])
        calculations.append(calculation)
        self.places.add("calculations", token, len(calculations) - 1)

    def _add_label(self, name: str, first: Token) -> None:
        if name in self._labels:
            cursor, hint = self._cursor, "give it a name: COUNT WHERE error = true AS errors"
            raise cursor.fail(f"{name[:60]} is there twice", first, hint, until=cursor.previous)
        self._labels.add(name)

    def _from(self) -> None:
        cursor = self._cursor
        if cursor.next.is_keyword("*"):
            cursor.take()
            self._dataset = ALL_DATASETS
        else:
            self._dataset = cursor.name("a dataset's name, or * for all of them")
        if cursor.next.is_symbol(","):
            raise cursor.fail("a query asks one dataset, or all of them: FROM *")

    def _limit(self) -> None:
        cursor = self._cursor
        token = cursor.take()
        if token.kind is not TokenKind.NUMBER or not token.text.isdigit():
            raise cursor.fail("expected a whole number", token)
        limit, most = number_of(cursor, token), limits.QUERY_LIMIT_NO_SERIES_MAX
        if not 1 <= limit <= most:
            raise cursor.fail(f"LIMIT is between 1 and {most:,}", token)
        if cursor.next.is_symbol(","):
            raise cursor.fail("LIMIT takes one number", hint=CLAUSE_HINTS["OFFSET"])
        self._spec["limit"] = limit

    def _check(self) -> None:
        """Check the clauses against each other; the mark is where the fault is."""
        self._per.check(self._spec)
        if "rows" in self._spec:
            for clause in ("PER", "GROUP", "HAVING", "ORDER", "EVERY", "COMPARE"):
                if clause in self._seen:
                    hint = "SELECT * shows events, newest first; COUNT GROUP BY ... forms groups"
                    raise self._cursor.fail("events have no groups", self._seen[clause], hint)
            return
        self.faults += unknown_labels(
            self._cursor,
            self._spec,
            self._columns,
            self._orders,
            self._having.calculations,
            self._formulas.names,
        )
