"""LAST, EVERY, SINCE, UNTIL, BETWEEN and COMPARE: the time range of a query and its steps."""

from query.text.clauses.axis import read_axis
from query.text.cursor import CLAUSES, Cursor, Spec
from query.text.durations import Duration, read_duration, unclear_months
from query.text.times import InvalidTime, ReferenceTime, read_moment
from query.tokens.lexer import Token, TokenKind

_RANGE_S_MAX = 18 * 10**9  # more than from 1678 to 2261
_AGO = ("AGO", "BEFORE", "EARLIER")  # may end a length: COMPARE 1d ago
_RANGES = ("LAST", "SINCE", "UNTIL", "BETWEEN")
_PHRASE = (TokenKind.NAME, TokenKind.NUMBER)


class TimeClauses:
    """Reads the clauses in any order; `result` combines them."""

    def __init__(self, cursor: Cursor, now: ReferenceTime) -> None:
        self._cursor = cursor
        self._now = now
        self._range_s: int | None = None
        self._every_s: int | None = None
        self._compare_s: int | None = None
        self._start_s: int | None = None
        self._end_s: int | None = None
        self._start: tuple[Token, Token] | None = None  # first and last token of the moment
        self._end: tuple[Token, Token] | None = None
        self._last: Token | None = None
        self._axis: str | None = None
        self._words: list[str] = []

    @property
    def words(self) -> str | None:
        """The clauses of the range as they stand in the text; None without any."""
        return " ".join(self._words) or None

    def read(self, clause: str, token: Token) -> None:
        """Read what follows the keyword. Raises QueryTextError."""
        first = self._cursor.at - 1
        self._read(clause, token)
        if clause in _RANGES and (axis := read_axis(self._cursor)) is not None:
            if self._axis not in (None, axis):
                raise self._cursor.fail("the range has another axis already", self._cursor.previous)
            self._axis = axis
        if clause in _RANGES:
            self._words.append(self._said(self._cursor.tokens[first : self._cursor.at]))

    def _said(self, tokens: list[Token]) -> str:
        """Tokens as they stand in the text, with one blank where anything is between two."""
        text, said, end = self._cursor.text, "", tokens[0].start
        for token in tokens:
            said += " " * (token.start > end) + text[token.start : token.end]
            end = token.end
        return said

    def _read(self, clause: str, token: Token) -> None:
        if clause == "LAST":
            self._last = token
            length, first = self._length("a duration like 90s, 15m, 2h or 7d")
            self._range_s = self._whole_seconds(length, first)
        elif clause == "EVERY":
            length, first = self._length("a duration like 10s, 5m or 1h")
            if length.months:
                raise self._fail("a month has no fixed length", first, "write 30d")
            self._every_s = self._whole_seconds(length, first)
        elif clause == "COMPARE":
            self._cursor.take_keyword("WITH", "TO")
            length, first = self._length("a duration like 1h, 1d or 1w")
            self._compare_s = self._whole_seconds(length, first)
            self._cursor.take_keyword(*_AGO)
        elif clause == "SINCE":
            self._start_s, self._start = self._moment(round_up=False)
        elif clause == "UNTIL":
            self._end_s, self._end = self._moment(round_up=True)
        else:
            self._start_s, self._start = self._moment(round_up=False)
            if not self._cursor.take_keyword("AND", "TO"):
                raise self._cursor.fail("expected AND", hint="BETWEEN takes two times")
            self._end_s, self._end = self._moment(round_up=True)

    def result(self) -> Spec:
        """The range and the steps. Raises QueryTextError where they contradict each other."""
        spec: Spec = {}
        if self._every_s is not None:
            spec["granularity"] = self._every_s
        if self._axis is not None:
            spec["time_axis"] = self._axis
        if self._compare_s is not None:
            spec["compare_time_offset_seconds"] = self._compare_s
        if self._last is not None and self._start is not None:
            hint = "LAST 2h ends now, or with UNTIL; SINCE begins the range"
            raise self._cursor.fail("use LAST or SINCE, not both", self._last, hint)
        if self._range_s is not None:
            spec["time_range"] = self._range_s
        if self._start_s is not None:
            assert self._start is not None
            spec["start_time"] = self._start_s
            end_s = self._now.now_s if self._end_s is None else self._end_s
            if end_s <= self._start_s:
                self._backwards(self._start)
            spec["end_time"] = end_s
        elif self._end_s is not None:
            spec["end_time"] = self._end_s
        return spec

    def _backwards(self, start: tuple[Token, Token]) -> None:
        if self._end is None:
            raise self._fail("the range would begin now or later, and it ends now", start)
        raise self._fail("the range ends before it begins", self._end, "SINCE is the earlier time")

    def _length(self, what: str) -> tuple[Duration, tuple[Token, Token]]:
        text, tokens = self._phrase(f"expected {what}", joined=True)
        if hint := unclear_months(text):
            raise self._fail("M may be minutes or months", tokens, hint)
        length = read_duration(text)
        if length is None:
            hint = ""
            if tokens[0] is tokens[1] and tokens[0].kind is TokenKind.NUMBER:
                hint = f"a duration has a unit: {text}s, {text}m, {text}h or {text}d"
            raise self._fail(f"expected {what}", tokens, hint)
        return length, tokens

    def _whole_seconds(self, length: Duration, tokens: tuple[Token, Token]) -> int:
        try:
            seconds = length.seconds_before(self._now.now_s, self._now.zone)
        except (ValueError, OverflowError):
            raise self._fail("this is longer than there are events", tokens) from None
        if seconds < 1:
            raise self._fail("a duration is at least one second", tokens)
        if seconds > _RANGE_S_MAX:
            raise self._fail("this is longer than there are events", tokens)
        if seconds.denominator != 1:
            raise self._fail("a duration is in whole seconds", tokens)
        return int(seconds)

    def _moment(self, *, round_up: bool) -> tuple[int, tuple[Token, Token]]:
        text, tokens = self._phrase("expected a time")
        try:
            return read_moment(text, self._now, round_up=round_up), tokens
        except InvalidTime as error:
            raise self._fail(str(error), tokens, error.hint) from None

    def _phrase(self, why: str, *, joined: bool = False) -> tuple[str, tuple[Token, Token]]:
        """The text up to the next clause, or one text in quotes.

        joined: whether AND may join two parts.
        """
        cursor = self._cursor
        first = cursor.next
        if first.kind is TokenKind.STRING:
            cursor.take()
            return first.text, (first, first)
        last_of = first.is_keyword("LAST") and cursor.peek().kind is TokenKind.NAME
        if first.kind not in _PHRASE or (first.is_keyword(*CLAUSES) and not last_of):
            raise cursor.fail(why, first)
        last = cursor.take()
        while cursor.next.kind in _PHRASE and not self._phrase_ends(joined):
            last = cursor.take()
        return cursor.text[first.start : last.end], (first, last)

    def _phrase_ends(self, joined: bool) -> bool:
        token, after = self._cursor.next, self._cursor.peek()
        if token.is_keyword("AND"):  # LAST 2 hours and 30 minutes; but BETWEEN a AND b
            return not joined or after.kind is not TokenKind.NUMBER
        if joined and token.is_keyword(*_AGO):
            return True
        return self._cursor.at_clause() or token.is_keyword("TO", "OFFSET")

    def _fail(self, why: str, tokens: tuple[Token, Token], hint: str = "") -> Exception:
        return self._cursor.fail(why, tokens[0], hint, until=tokens[1])
