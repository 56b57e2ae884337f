"""Where the members of a specification stand in its text.

So what is wrong with a member, which only a check of all of them finds, points at its words.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from query.text.cursor import Cursor, Spec
from query.tokens.token import Token

_ITEM: Final = re.compile(r"([a-z_]+)(?:\[([0-9]+)\])?")
# Members that stand for the clauses of the time range.
RANGE: Final = ("time_range", "start_time", "end_time", "time_axis")


class Place(NamedTuple):
    """Characters of a text, half open. member: of the specification; at: which item of its list,
    None for all of them.
    """

    member: str
    at: int | None
    start: int
    end: int


class Places:
    """Collects places while a text is read."""

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor
        self.found: list[Place] = []

    def add(self, member: str, first: Token, at: int | None = None) -> None:
        """From a token to the one that was read last."""
        end = max(first.end, self._cursor.previous.end)
        self.found.append(Place(member, at, first.start, end))

    def conditions(self, filters: list[Spec], combination: str, first: int) -> None:
        """The filters of conditions whose first token has this index, joined by AND or OR: each by
        its own words, where one condition became one filter.
        """
        tokens = self._cursor.tokens[first : self._cursor.at]
        if not tokens:
            return
        self.add("filters", tokens[0])
        parts = list(_split(tokens, combination))
        if len(parts) == len(filters):
            self.found += [
                Place("filters", at, part[0].start, part[-1].end)
                for at, part in enumerate(parts)
                if part
            ]

    def items(self, member: str, before: int, after: int, first: Token) -> None:
        """Items of a list that a few words became: from `before` to below `after`."""
        for at in range(before, after):
            self.add(member, first, at)


def _split(tokens: list[Token], combination: str) -> Iterator[list[Token]]:
    """Tokens between the words that join them, outside of parentheses; BETWEEN's AND is none."""
    symbols = {"AND": "&&", "OR": "||"}[combination]
    part: list[Token] = []
    depth, between = 0, False
    for token in tokens:
        depth += token.is_symbol("(") - token.is_symbol(")")
        between = between or token.is_keyword("BETWEEN")
        if not depth and (token.is_keyword(combination) or token.is_symbol(symbols)):
            if not (between and combination == "AND"):
                yield part
                part = []
                continue
            between = False
        part.append(token)
    yield part


def place_of(path: str, places: list[Place]) -> Place | None:
    """The narrowest place of a path such as `calculations[1].column`; None: it has none."""
    found = _ITEM.match(path)
    if found is None:
        return None
    member, item = found[1], None if found[2] is None else int(found[2])
    member = "time_range" if member in RANGE else member
    exact = [one for one in places if one.member == member and one.at == item is not None]
    return next(iter(exact or [one for one in places if one.member == member]), None)
