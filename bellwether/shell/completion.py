"""Completion in a query: keywords, datasets, fields and values that may come at the cursor.

Pure: the names come from a `Names`, which the terminal's thread calls.
"""

from itertools import pairwise
from typing import NamedTuple, Protocol

from bellwether.shell.statements import COMMAND, scan
from query.plan.operations import SUPPORTED_OPS
from query.text.cursor import CLAUSE_ALIASES, CLAUSES
from query.tokens.errors import QueryTextError
from query.tokens.lexer import Token, TokenKind, tokenize
from query.tokens.quoting import quote_name, quote_text

COMMANDS = {
    "use": "DATASET: ask this dataset from now on",
    "datasets": "list the datasets",
    "fields": "[PATTERN]: list the fields of the dataset",
    "d": "[PATTERN]: the same",
    "format": "table|json|...: how answers are printed",
    "series": "[on|off]: every step in time instead of totals with graphs",
    "zone": "NAME: of times without one, and of the times shown",
    "timing": "[on|off]: say how long each answer took",
    "explain": "QUESTION: the specification that is sent, nothing is asked",
    "help": "this list",
    "q": "end (also Ctrl-D)",
}
OFFERED_MAX = 200
_ENDS_WORD = " \t\n,()=<>!;"
_OPERATORS = (
    *("=", "!=", ">", ">=", "<", "<=", "in", "contains", "starts-with", "ends-with", "exists"),
    "does-not-exist",
)
_COMPARING = ("=", "==", "!=", "<>", ">", ">=", "<", "<=", "=~", "!~")
_COMPARING_WORDS = ("CONTAINS", "STARTS-WITH", "ENDS-WITH", "LIKE", "IN")
_AFTER = {
    "GROUP": ("BY",),
    "ORDER": ("BY",),
    "LAST": ("10m", "1h", "6h", "1d", "7d"),
    "EVERY": ("10s", "1m", "5m", "1h", "1d"),
    "SINCE": ("today", "yesterday"),
    "LIMIT": ("10", "100", "1000"),
}
_FIELDS_AFTER = ("AND", "OR", "NOT", "BY", "WHERE")
_QUOTED = (TokenKind.STRING, TokenKind.QUOTED_NAME)


class Names(Protocol):
    """What the server knows."""

    def datasets(self) -> list[str]:
        """Every dataset's slug."""
        ...

    def fields(self, dataset: str) -> list[str]:
        """The names of a dataset's fields."""
        ...

    def values(self, dataset: str, field: str, prefix: str) -> list[object]:
        """Frequent values of a field that begin so, in any case."""
        ...


class Offer(NamedTuple):
    """A text that may stand in place of the last `replaced` characters before the cursor."""

    text: str
    replaced: int
    kind: str


def offers(before: str, dataset: str, names: Names, formats: tuple[str, ...]) -> list[Offer]:
    """What may come next. before: the statement up to the cursor."""
    if before.lstrip().startswith(COMMAND):
        found, partial = _of_command(before.lstrip(), names, dataset, formats)
    else:
        found, partial = _of_question(before, dataset, names)
    return [
        Offer(text, len(partial), kind)
        for text, kind in dict.fromkeys(found)
        if _begins(text, partial) and text != partial
    ][:OFFERED_MAX]


def _begins(text: str, partial: str) -> bool:
    """Whether the text goes on from what is typed, with or without quotes, in any case."""
    typed = partial.lstrip("\"'`").lower()
    return text.lower().startswith(partial.lower()) or (
        text[:1] in "\"'`" and text[1:].lower().startswith(typed)
    )


Found = list[tuple[str, str]]


def _of_command(
    before: str, names: Names, dataset: str, formats: tuple[str, ...]
) -> tuple[Found, str]:
    word, blank, rest = before.partition(" ")
    if not blank:
        return [(COMMAND + name, "command") for name in COMMANDS], word
    if word == "\\explain":
        return _of_question(rest, dataset, names)
    if word == "\\use":
        return [(name, "dataset") for name in names.datasets()], rest.lstrip()
    if word in ("\\fields", "\\d"):
        return [(name, "field") for name in names.fields(dataset)], rest.lstrip()
    known = {"\\format": formats, "\\timing": ("on", "off"), "\\series": ("on", "off")}.get(
        word, ()
    )
    return [(name, "") for name in known], rest.lstrip()


def _of_question(before: str, dataset: str, names: Names) -> tuple[Found, str]:
    head, partial = _split_partial(before)
    try:
        tokens = tokenize(head)[:-1]
    except QueryTextError:
        return [], partial
    for token, after in pairwise(tokens):
        if token.is_keyword("FROM") and after.kind is not TokenKind.SYMBOL:
            dataset = after.text
    context = _CursorContext(tokens)
    if context.after("FROM"):
        return [(quote_name(name), "dataset") for name in names.datasets()], partial
    if field := context.compared_field():
        begun = partial.lstrip("\"'`")
        quoted = [(_value(value), "value") for value in names.values(dataset, field, begun)]
        return [(text, kind) for text, kind in quoted if text], partial
    found: Found = []
    if context.wants_field():
        keywords = (*CLAUSES, *CLAUSE_ALIASES, "AND", "OR", "NOT")
        found += [(quote_name(name, keywords), "field") for name in names.fields(dataset)]
    found += [(word, "keyword") for word in context.words()]
    return found, partial


def _split_partial(before: str) -> tuple[str, str]:
    """The text before the word at the cursor, and that word with its opening quote, if any."""
    open_ = scan(before)
    if open_.quote:
        return before[: open_.quote_at], before[open_.quote_at :]
    at = len(before)
    while at and before[at - 1] not in _ENDS_WORD:
        at -= 1
    return before[:at], before[at:]


def _value(value: object) -> str:
    """A value as a question has it; nothing for what cannot be typed."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return quote_text(value) if isinstance(value, str) else ""


class _CursorContext:
    """What may come at the cursor. tokens: those before the word at the cursor."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._last = tokens[-1] if tokens else None
        self._clause = "SELECT"
        for token in tokens:
            word = token.text.upper() if token.kind is TokenKind.NAME else ""
            word = CLAUSE_ALIASES.get(word, word)
            if word in CLAUSES and not token.is_keyword("BY"):  # it follows GROUP or ORDER
                self._clause = word

    def after(self, *keywords: str) -> bool:
        """Whether one of these words stands just before."""
        return self._last is not None and self._last.is_keyword(*keywords)

    def compared_field(self) -> str:
        """The field whose value comes next, if one does."""
        at = len(self._tokens) - 1
        if self._last is not None and self._last.is_symbol("(", ","):
            at = self._bracket() - 1  # IN, if it is a list of values
            if at < 0 or not self._tokens[at].is_keyword("IN"):
                return ""
        if self._clause != "WHERE" or at < 1 or not self._comparing(self._tokens[at]):
            return ""
        field = self._tokens[at - 1]
        return self._tokens[at - 2].text if field.is_keyword("NOT") and at > 1 else field.text

    def _comparing(self, token: Token) -> bool:
        return token.is_symbol(*_COMPARING) or token.is_keyword(*_COMPARING_WORDS)

    def _bracket(self) -> int:
        """The index of the innermost open bracket, -1 without one."""
        depth = 0
        for at in range(len(self._tokens) - 1, -1, -1):
            depth += self._tokens[at].is_symbol("(") - self._tokens[at].is_symbol(")")
            if depth > 0:
                return at
        return -1

    def wants_field(self) -> bool:
        """Whether a field may come next."""
        last = self._last
        if last is None:
            return False
        if last.is_symbol("("):
            return True
        if last.is_symbol(","):
            return self._clause in ("GROUP", "ORDER")
        return last.is_keyword(*_FIELDS_AFTER)

    def words(self) -> tuple[str, ...]:
        """The keywords that may come next."""
        last = self._last
        if last is None:
            return (*SUPPORTED_OPS, "SELECT *", "SELECT")
        word = CLAUSE_ALIASES.get(last.text.upper(), last.text.upper())
        if last.kind is TokenKind.NAME and word in _AFTER:
            return _AFTER[word]
        if last.is_keyword("SELECT") or (last.is_symbol(",") and self._clause == "SELECT"):
            return SUPPORTED_OPS
        if last.is_symbol("(", ",") or last.is_keyword(*_FIELDS_AFTER):
            return ("NOT",) if last.is_keyword("AND", "OR", "WHERE") else ()
        if self._clause == "WHERE" and self._before_is(*_FIELDS_AFTER):
            return _OPERATORS
        joined = ("AND", "OR") if self._clause == "WHERE" else ()
        ordered = ("DESC", "ASC") if self._clause == "ORDER" else ()
        return (*joined, *ordered, *(f"{c} BY" if c in ("GROUP", "ORDER") else c for c in CLAUSES))

    def _before_is(self, *keywords: str) -> bool:
        before = self._tokens[-2] if len(self._tokens) > 1 else None
        is_word = self._last is not None and (
            self._last.kind is TokenKind.NAME or self._last.kind in _QUOTED
        )
        return before is not None and is_word and before.is_keyword(*keywords)
