"""Regular expressions that users give: --pattern (named groups become fields) and --continuation.

Python's `re` cannot be stopped while it searches, so what could search for ever is not begun:
an unbounded repetition within an unbounded repetition is refused unless one of them is possessive
(`(\\w+\\s*)*+`); lines are bounded in length; and the expression is first tried, under a limit of
processor time, on the lines at the file's beginning.
"""

import re
import signal
import threading
from collections.abc import Callable
from types import FrameType

from bellwether.send.event import LineParser, LineRead, Members
from bellwether.send.formats.names import unused_name
from bellwether.send.prepare.values import typed

# Two `.*` in a row take the square of a line's length: a third of a second at this one
PATTERN_LINE_CHARS_MAX = 8_192
_EXPRESSION_CHARS_MAX = 10_000  # more is no expression that a person wrote
_REPEATS_FEW = 8  # a repetition of at most this many is harmless within another
_TRIAL_CPU_S = 2.0  # for the lines of the file's beginning, which take a few milliseconds
_TIME_GROUPS = ("time", "timestamp", "@timestamp", "datetime", "ts")
# escapes and character classes are passed over; a group's name may have dots and hyphens
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|(?P<group>\(\?P?<(?![=!])(?P<name>[^>]*)>)"
    r"|(?P<back>\(\?P=(?P<of>[^)]*)\))|(?P<open>\((?:\?(?:[aiLmsux-]*:|>|=|!|<=|<!))?)|(?P<close>\))"
    r"|(?P<repeat>[*+]|\{\d*(?:,(?P<most>\d*))?\})(?P<how>[+?]?)",
    re.DOTALL,
)


class BadPattern(ValueError):
    """The expression cannot be used. The message states the cause and the remedy."""


def compile_pattern(expression: str) -> LineParser:
    """A reader of lines by an expression that must match each of them whole. Raises BadPattern.

    Its named groups are the fields; one called time (or timestamp, @timestamp, datetime, ts) is
    the event's time.
    """
    compiled, names = _compile(expression, "--pattern")
    if not names:
        raise BadPattern(
            "--pattern has no named group: write (?P<name>...) around each part that is to become "
            r"a field, for instance '(?P<time>\S+) (?P<level>\w+) (?P<message>.*)'"
        )
    time_group = next((g for g, name in names.items() if name.lower() in _TIME_GROUPS), None)

    def parse(text: str) -> LineRead:
        if len(text) > PATTERN_LINE_CHARS_MAX:
            raise ValueError(
                f"the line has {len(text):,} characters; --pattern reads lines of up to "
                f"{PATTERN_LINE_CHARS_MAX:,}"
            )
        found = compiled.fullmatch(text)
        if found is None:
            raise ValueError(_why_not(compiled, text))
        members: Members = {}
        for group, value in found.groupdict().items():
            read = None if value is None or group == time_group else typed(value)
            if read is not None:
                members[unused_name(names[group], members)] = read
        return LineRead(members, found[time_group] if time_group else None)

    return parse


def _why_not(compiled: re.Pattern[str], text: str) -> str:
    begin = compiled.match(text)
    if begin is None:
        return "the expression of --pattern does not match the line"
    return (
        f"the expression of --pattern matches only the line's first {begin.end():,} characters: "
        f"it goes on with {text[begin.end() :][:30]!r}"
    )


def compile_search(expression: str, option: str) -> Callable[[str], bool]:
    """Whether the expression is found in a line (its beginning, if that is long). Raises
    BadPattern.
    """
    compiled, _ = _compile(expression, option)
    return lambda text: compiled.search(text, 0, PATTERN_LINE_CHARS_MAX) is not None


def try_on(sample: list[str], parse: Callable[[str], object]) -> None:
    """Use an expression on some lines under a limit of processor time. Raises BadPattern.

    Only the main thread can be interrupted; in another one nothing is tried.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        return

    def too_long(number: int, frame: FrameType | None) -> None:
        raise BadPattern(
            "the expression takes too long on the file's first lines: let each part match only "
            r"what it means ([^ ]+ instead of .*), or end repetitions with + (\w++)"
        )

    before = signal.signal(signal.SIGVTALRM, too_long)
    signal.setitimer(signal.ITIMER_VIRTUAL, _TRIAL_CPU_S)
    try:
        for text in sample:
            try:
                parse(text)
            except BadPattern:
                raise
            except ValueError:
                continue
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _compile(expression: str, option: str) -> tuple[re.Pattern[str], dict[str, str]]:
    """The compiled expression, and the name that is meant by each of its groups."""
    if len(expression) > _EXPRESSION_CHARS_MAX:
        raise BadPattern(f"{option} has more than {_EXPRESSION_CHARS_MAX:,} characters")
    _refuse_nested(expression, option)
    names: dict[str, str] = {}
    renamed: list[str] = []
    at = 0
    for token in _TOKEN.finditer(expression):
        written = token["name"] if token["group"] else token["of"] if token["back"] else None
        if written == "":
            raise BadPattern(
                f"{option} has a group without a name at character {token.start() + 1}"
            )
        if written is None or written.isidentifier():
            if token["group"]:
                names[token["name"]] = token["name"]
                renamed += [expression[at : token.start()], f"(?P<{token['name']}>"]
                at = token.end()
            continue
        known = next((group for group, name in names.items() if name == written), None)
        group = known or f"_field_{len(names)}"
        names[group] = written
        renamed += [expression[at : token.start()]]
        renamed += [f"(?P<{group}>" if token["group"] else f"(?P={group})"]
        at = token.end()
    try:
        return re.compile("".join((*renamed, expression[at:]))), names
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(_explained(expression, option, error)) from error


def _explained(expression: str, option: str, error: Exception) -> str:
    """What is wrong, with a mark under where it is."""
    try:  # again as it was written, so that the position is that of the user's text
        re.compile(expression)
    except re.error as same:
        error = same
    if not isinstance(error, re.error) or error.pos is None or error.lineno != 1:
        return f"{option} is no regular expression: {error}"
    return (
        f"{option} is no regular expression: {error.msg} at character {error.pos + 1}\n"
        f"  {expression}\n  {' ' * error.pos}^"
    )


def _is_many(token: re.Match[str]) -> bool:
    """Whether a quantifier allows more than a few repetitions."""
    most = token["most"]
    if most is None:  # * + or {7}
        most = token["repeat"].strip("{}*+")
    return not most or len(most) > 3 or int(most) > _REPEATS_FEW


def _refuse_nested(expression: str, option: str) -> None:
    """Refuse an unbounded repetition of a group that has one inside. Raises BadPattern."""
    repeats = [False]  # for each open group: whether something in it is repeated without bound
    closed = False  # of the group that just ended
    end = -1
    for token in _TOKEN.finditer(expression):
        if token["group"] or token["open"]:
            repeats.append(False)
        elif token["close"]:
            closed = repeats.pop() if len(repeats) > 1 else False
            end = token.end()
            repeats[-1] = repeats[-1] or closed
        elif token["repeat"] and _is_many(token):
            possessive = token["how"] == "+"
            if token.start() == end and closed and not possessive:
                raise BadPattern(
                    f"{option} repeats at character {token.start() + 1} a group that itself has a "
                    "repetition: on some lines that takes for ever. End one of them with + so "
                    f"that it never goes back: {token['repeat']}+"
                )
            repeats[-1] = repeats[-1] or not possessive
