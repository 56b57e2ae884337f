"""Where one question ends and the next begins, in what is typed, pasted or read from a file.

A question ends with its line, unless it cannot end there: a quote or a bracket is open, a comma
or a word that wants another one comes last. A line that begins with a clause (`WHERE ...`), or is
indented, goes on with the question before it. `;` and blank lines end one always. A line that
begins with a backslash is a command of the shell.
"""

from typing import NamedTuple

from query.text.cursor import CLAUSE_ALIASES, CLAUSES

_QUOTES = "\"'`"
# words after which a question is not at its end
_WANTING = frozenset(
    {*CLAUSES, *CLAUSE_ALIASES, "SELECT", "AND", "OR", "NOT", "IN", "LIKE", "CONTAINS", "AS",
     "STARTS-WITH", "ENDS-WITH", "&&", "||"}
)  # fmt: skip
_WANTING_CHARS = tuple(",(=<>~\\")
_GOES_ON = frozenset({*CLAUSES, *CLAUSE_ALIASES, "AND", "OR"})
COMMAND = "\\"
COMMENT = "--"


class Statement(NamedTuple):
    """One question, or one command of the shell, and the line where it begins (from 1)."""

    text: str
    line: int

    @property
    def is_command(self) -> bool:
        """Whether the shell itself is meant."""
        return self.text.startswith(COMMAND)


class Scan(NamedTuple):
    """What stands open at the end of a text. ends: places of `;` outside of quotes."""

    quote: str
    quote_at: int
    depth: int
    ends: tuple[int, ...]


def scan(text: str) -> Scan:
    """Walk over quotes, brackets and comments."""
    at, depth = 0, 0
    ends: list[int] = []
    while at < len(text):
        char = text[at]
        if char in _QUOTES:
            close = _closing(text, at)
            if close < 0:
                return Scan(char, at, depth, tuple(ends))
            at = close
        elif text.startswith("-- ", at) or text[at : at + 3] in ("--\n", "--"):
            at = text.find("\n", at)
            if at < 0:
                break
        elif char == "(":
            depth += 1
        elif char == ")":
            depth = max(0, depth - 1)
        elif char == ";":
            ends.append(at)
        at += 1
    return Scan("", -1, depth, tuple(ends))


def _closing(text: str, at: int) -> int:
    """Where the quote that opens here is closed, -1 if nowhere."""
    quote = text[at]
    escapes = at > 0 and text[at - 1] in "eE" and (at == 1 or not _in_word(text[at - 2]))
    here = at + 1
    while here < len(text):
        if escapes and text[here] == "\\":
            here += 2
            continue
        if text[here] == quote:
            return here  # one that is written twice opens again at once
        here += 1
    return -1


def _in_word(char: str) -> bool:
    return not char.isspace() and char not in "=<>!(),;"


def is_unfinished(text: str) -> bool:
    """Whether more has to come before the question can be asked."""
    if text.lstrip().startswith(COMMAND):
        return False
    found = scan(text)
    if found.quote or found.depth:
        return True
    rest = text.rstrip()
    if not rest or rest.endswith(";"):
        return False
    return rest.endswith(_WANTING_CHARS) or rest.split()[-1].upper() in _WANTING


def split_statements(text: str) -> list[Statement]:
    """The questions and commands of a text, in order."""
    found: list[Statement] = []
    pending: list[str] = []
    first = 1
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        before = "\n".join(pending)
        inside = bool(pending) and bool(scan(before).quote)
        bare = line.strip()
        if not inside and bare.startswith(COMMENT) and bare[2:3] in ("", " "):
            continue
        if not inside and (not bare or bare.startswith(COMMAND)):
            found += _ended(before, first)
            pending = []
            if bare:
                found.append(Statement(bare, number))
            continue
        if pending and not inside and not _goes_on(line) and not is_unfinished(before):
            found += _ended(before, first)
            pending = []
        if not pending:
            first = number
        pending.append(line)
    return found + _ended("\n".join(pending), first)


def _goes_on(line: str) -> bool:
    word = line.split(maxsplit=1)[0].upper()
    return line[0].isspace() or line[0] in ",)" or word in _GOES_ON


def _ended(text: str, first: int) -> list[Statement]:
    """The statements of lines that belong together: more than one if `;` stands between them."""
    parts, begin = [], 0
    for end in (*scan(text).ends, len(text)):
        part = text[begin:end]
        lead = len(part) - len(part.lstrip())
        if part.strip():
            line = first + text.count("\n", 0, begin + lead)
            parts.append(Statement(_joined(part), line))
        begin = end + 1
    return parts


def _joined(text: str) -> str:
    """Without a backslash at the end of a line, which only continues the question."""
    joined = ""
    for line in text.strip().split("\n"):
        bare = line.rstrip()
        if bare.endswith("\\") and not scan(joined + bare).quote:
            line = bare.removesuffix("\\").rstrip()
        joined += f"{line}\n"
    return joined.rstrip()
