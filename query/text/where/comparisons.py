"""A comparison of WHERE: a field, an operator in any of its spellings, a value."""

from common import limits
from query.text.calculations import calculation_op
from query.text.clauses.search import begins_search, read_search
from query.text.cursor import BEGINS_CLAUSE, CLAUSES, Cursor, Spec
from query.text.values import QUOTES_HINT, is_null, read_text, read_value
from query.text.where.patterns import NEGATED, read_like, read_matches
from query.tokens.lexer import Token, TokenKind
from query.tokens.near import near_words

COMPARISONS = {
    "=": "=",
    "==": "=",
    "===": "=",
    "!=": "!=",
    "!==": "!=",
    "<>": "!=",
    "≠": "!=",
    ">": ">",
    ">=": ">=",
    "=>": ">=",
    "≥": ">=",
    "<": "<",
    "<=": "<=",
    "=<": "<=",
    "≤": "<=",
}
_SIDES = tuple(COMPARISONS)
_PATTERNS = {"=~": "matches", "~": "matches", "!~": "does-not-match", "~*": "matches"}
# Operators in words. A dash, an underscore and a blank between their words are the same.
_OPERATOR_WORDS = {
    "STARTS-WITH": "starts-with",
    "START-WITH": "starts-with",
    "STARTSWITH": "starts-with",
    "ENDS-WITH": "ends-with",
    "END-WITH": "ends-with",
    "ENDSWITH": "ends-with",
    "CONTAINS": "contains",
    "CONTAIN": "contains",
    "INCLUDES": "contains",
    "EXISTS": "exists",
    "EXIST": "exists",
    "IN": "in",
    "LIKE": "like",
    "ILIKE": "ilike",
    "MATCHES": "matches",
    "MATCH": "matches",
    "REGEXP": "matches",
    "RLIKE": "matches",
    "REGEX": "matches",
    "BETWEEN": "between",
    "BEGINS-WITH": "starts-with",
}
_ALSO_DIRECT = {negated.upper(): negated for negated in NEGATED.values() if negated != "!="}
_TWO_WORDS = ("STARTS", "START", "ENDS", "END", "BEGINS")
_KNOWN = (
    "known: = != > >= < <= in between contains starts-with ends-with like matches exists, each "
    "also with NOT; IS NULL"
)
_ALONE = "a field alone means that it is true, but not after OR: name = true, name EXISTS"
# Functions of other query languages, and their replacements
_FUNCTIONS = {
    **dict.fromkeys(("EXISTS", "EXIST", "HAS", "ISSET", "DEFINED"), "write {} EXISTS"),
    **dict.fromkeys(("ISNULL", "IS_NULL", "MISSING", "EMPTY"), "write {} IS NULL"),
    **dict.fromkeys(("ISNOTNULL", "IS_NOT_NULL"), "write {} IS NOT NULL"),
    **dict.fromkeys(
        ("LOWER", "UPPER", "LCASE", "UCASE"), 'any case: {} ILIKE "..." or {} MATCHES "(?i)..."'
    ),
}
_TEXT_OPS = ("contains", "starts-with", "ends-with")


def read_comparison(cursor: Cursor) -> Spec:
    """A filter, or a group of two for BETWEEN. Raises QueryTextError."""
    if _is_alone(cursor):
        return {"column": cursor.name("a field's name"), "op": "=", "value": True}
    if begins_search(cursor):
        cursor.take()
        return read_search(cursor)
    column = _field(cursor)
    op, negated = _operator(cursor)
    if op == "like" or op == "ilike":
        return read_like(cursor, column, negated, fold=op == "ilike")
    if op == "between":
        return _between(cursor, column, negated)
    if op == "exists":
        return {"column": column, "op": NEGATED[op] if negated else op}
    if op in ("=", "!="):
        return _equal(cursor, column, op)
    if op == "matches":
        return read_matches(cursor, column, negated)
    found: Spec = {"column": column, "op": NEGATED[op] if negated else op}
    if op == "in":
        found["value"] = _values(cursor, column)
    elif op in _TEXT_OPS:
        found["value"] = _text_or_scalar(cursor)
    else:
        found["value"] = read_value(cursor, column, ordered=True)
    return found


def _field(cursor: Cursor) -> str:
    token = cursor.next
    if token.kind in (TokenKind.SYMBOL, TokenKind.END):
        raise cursor.fail("expected a condition like status >= 500")
    after = cursor.peek()
    if token.is_keyword(*CLAUSES, "AND", "OR") and after.kind is not TokenKind.SYMBOL:
        hint = f"a field called {token.text} stands in backticks: `{token.text}`"
        raise cursor.fail("expected a condition like status >= 500", token, hint)
    if token.kind is TokenKind.NAME and after.is_symbol("("):
        if calculation_op(token):
            hint = "a condition on a calculation is a HAVING: HAVING COUNT > 5"
            raise cursor.fail("a calculation is known only after WHERE", token, hint)
        if not token.is_keyword("IN"):
            hint = _FUNCTIONS.get(token.text.upper(), "").replace("{}", cursor.peek(2).text)
            hint = hint or "a comparison has the field alone on its left: name = ..."
            raise cursor.fail(f"there is no function {token.text!r} here", token, hint)
    ends = _ends_condition(after) and not after.is_keyword("BETWEEN")
    if ":" not in token.text and _joins(cursor.previous) and ends:
        hint = "name = 1 OR name = 2, or name IN (1, 2)"  # status = 500 OR 503
        raise cursor.fail("each condition has a field and a comparison", token, hint)
    if token.kind is TokenKind.NUMBER and after.kind is TokenKind.SYMBOL and after.text in _SIDES:
        hint = "the field stands on the left: status >= 500 (a field called 5 in backticks: `5`)"
        raise cursor.fail("expected a field's name", token, hint)
    return cursor.name("a field's name")


def _is_alone(cursor: Cursor) -> bool:
    """Whether a field stands alone, which is a condition that it is true.

    Not after OR: `status = 500 OR failed` is more often a forgotten comparison.
    """
    token, after = cursor.next, cursor.peek()
    if token.kind is TokenKind.NAME:
        if ":" in token.text or token.is_keyword(*BEGINS_CLAUSE, "AND", "OR", "NOT", "AS"):
            return False
    elif token.kind is not TokenKind.QUOTED_NAME:
        return False
    if cursor.previous.is_keyword("OR") or cursor.previous.is_symbol("||"):
        return False
    if after.is_keyword("BETWEEN"):
        return False
    return _ends_condition(after) or after.is_symbol(",") or after.is_keyword("AS")


def _joins(token: Token) -> bool:
    return token.is_keyword("AND", "OR") or token.is_symbol("&&", "||")


def _ends_condition(token: Token) -> bool:
    return (
        token.kind is TokenKind.END
        or token.is_symbol(")", "&&", "||", ";")
        or token.is_keyword(*BEGINS_CLAUSE, "AND", "OR")
    )


def _operator(cursor: Cursor) -> tuple[str, bool]:
    """The operator, and whether it is negated."""
    token = cursor.take()
    if token.kind is TokenKind.SYMBOL:
        if token.text in COMPARISONS:
            return COMPARISONS[token.text], False
        if token.text == "~*":
            hint = 'write MATCHES "(?i)..." where case does not matter'
            raise cursor.fail("this operator is not known", token, hint)
        if token.text in _PATTERNS:
            return "matches", token.text == "!~"
        if token.text == "!" and cursor.next.kind is TokenKind.NAME:
            return _negatable(cursor)
    if token.kind is TokenKind.NAME:
        word = token.text.upper().replace("_", "-")
        if word in _ALSO_DIRECT:
            op = _ALSO_DIRECT[word]
            return next(plain for plain, negated in NEGATED.items() if negated == op), True
        if word == "IS":
            return _is(cursor)
        if word in ("NOT", "ISNT"):
            return _negatable(cursor)
        if word in ("DOES", "DO") and cursor.take_keyword("NOT"):
            return _negatable(cursor)
        if word in ("ISNULL", "NOTNULL"):
            return "exists", word == "ISNULL"
        op_word = _in_words(cursor, token)
        if op_word is not None:
            return op_word, False
    raise _no_operator(cursor, token)


def _negatable(cursor: Cursor) -> tuple[str, bool]:
    """Read the operator after NOT."""
    token = cursor.take()
    op = _in_words(cursor, token)
    if op is None:
        raise cursor.fail("expected NOT IN, NOT CONTAINS, NOT EXISTS or the like", token)
    return op, True


def _in_words(cursor: Cursor, token: Token) -> str | None:
    if token.kind is not TokenKind.NAME:
        return None
    word = token.text.upper().replace("_", "-")
    if word in _TWO_WORDS and cursor.take_keyword("WITH"):
        word = f"{word}-WITH"
    return _OPERATOR_WORDS.get(word)


def _is(cursor: Cursor) -> tuple[str, bool]:
    """Read IS NULL, IS NOT NULL, IS TRUE or IS NOT FALSE."""
    is_token = cursor.previous
    negated = cursor.take_keyword("NOT")
    token = cursor.next
    if cursor.take_keyword("NULL", "MISSING", "ABSENT"):
        return "exists", not negated
    if cursor.take_keyword("PRESENT"):
        return "exists", negated
    if token.is_keyword("TRUE", "FALSE"):
        return "!=" if negated else "=", False
    if negated and cursor.next.is_keyword("IN"):
        cursor.take()
        return "in", True
    if cursor.take_keyword("IN"):
        return "in", False
    hint = 'a value is compared with =; the empty text is = ""'
    raise cursor.fail("expected IS NULL or IS NOT NULL", is_token, hint, until=token)


def _no_operator(cursor: Cursor, token: Token) -> Exception:
    hint = _KNOWN
    field = cursor.tokens[max(0, cursor.tokens.index(token) - 1)]
    name, colon, value = field.text.partition(":")
    if field.kind is TokenKind.NAME and name and colon and _ends_condition(token):
        written = f"{name} = {value}" if value else f"{name} = ..."
        hint = f"write {written}; a field called {field.text} needs a comparison, too"
        return cursor.fail("a colon compares nothing here", field, hint)
    if _ends_condition(token) or token.is_symbol(","):
        hint = _ALONE
    elif token.kind is TokenKind.NAME and token.text[0] in "+-*/%":
        hint = "fields cannot be calculated with; compare the field itself"
    elif token.kind is TokenKind.NAME:
        near = near_words(token.text, [*_OPERATOR_WORDS, "NOT", "IS"])
        hint = f"did you mean {near[0]}?" if near else _KNOWN
    return cursor.fail("expected a comparison", token, hint)


def _equal(cursor: Cursor, column: str, op: str) -> Spec:
    """Read = or !=. With null they test whether the field exists."""
    if is_null(cursor.next):
        cursor.take()
        return {"column": column, "op": "does-not-exist" if op == "=" else "exists"}
    return {"column": column, "op": op, "value": read_value(cursor, column)}


def _text_or_scalar(cursor: Cursor) -> str:
    token = cursor.next
    if is_null(token):
        raise cursor.fail("nothing compares with null", token, "a field is missing: IS NULL")
    return read_text(cursor, "a text")


def _values(cursor: Cursor, column: str) -> list[object]:
    opened = cursor.next
    if not cursor.take_symbol("("):
        hint = "a list stands in parentheses, with commas between its values"
        raise cursor.fail("expected a list like (200, 201)", opened, hint)
    if cursor.next.is_keyword("SELECT"):
        raise cursor.fail("a list holds values; there are no queries inside of queries")

    def one() -> object:
        if is_null(cursor.next):
            hint = f"events without the field: OR {column} IS NULL"
            raise cursor.fail("nothing compares with null", hint=hint)
        return read_value(cursor, column, in_list=True)

    values = cursor.listed(one, limits.FILTER_VALUES_MAX)
    cursor.expect(")", "expected , or )", QUOTES_HINT)
    return values


def _between(cursor: Cursor, column: str, negated: bool) -> Spec:
    """Read BETWEEN, which includes both ends, as in SQL."""
    first = cursor.next
    low = read_value(cursor, column, ordered=True)
    if not cursor.take_keyword("AND"):
        raise cursor.fail("expected AND", hint="BETWEEN takes two values: BETWEEN 200 AND 299")
    high = read_value(cursor, column, ordered=True)
    both_numbers = not isinstance(low, str) and not isinstance(high, str)
    if both_numbers != (not isinstance(low, str) or not isinstance(high, str)):
        raise cursor.fail("one of these is a number and one a text", first, until=cursor.previous)
    if low > high:
        hint = "BETWEEN takes the smaller value first"
        raise cursor.fail("nothing is between these", first, hint, until=cursor.previous)
    ends = [
        {"column": column, "op": ">=", "value": low},
        {"column": column, "op": "<=", "value": high},
    ]
    both: Spec = {"filter_combination": "AND", "filters": ends}
    return {"filter_combination": "NONE", "filters": [both]} if negated else both
