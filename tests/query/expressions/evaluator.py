"""A slow and obvious evaluator of expressions, a row at a time: what the SQL must come to."""

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from query.expressions.nodes import Call, Column, Literal, Node, Value

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_CHARS_MAX = 65_536


def evaluate(node: Node, row: Mapping[str, Value], time_ns: int = 0) -> Value:
    """The value of an expression for an event."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Column):
        return row.get(node.name)
    assert isinstance(node, Call)
    args = [evaluate(one, row, time_ns) for one in node.args]
    return call(node.function, args, time_ns)


def call(name: str, args: list[Value], time_ns: int) -> Value:
    match name:
        case "IF":
            return case([truth(one) for one in args[: len(args) // 2 * 2 : 2]], args)
        case "SWITCH":
            value, rest = args[0], args[1:]
            return case([equal(value, one) for one in rest[: len(rest) // 2 * 2 : 2]], rest)
        case "COALESCE":
            return next((one for one in args if one is not None and one != ""), None)
        case "LT" | "LTE" | "GT" | "GTE":
            return ordered(name, args[0], args[1])
        case "EQUALS":
            return equal(args[0], args[1])
        case "IN":
            return any(equal(args[0], one) for one in args[1:])
        case "EXISTS":
            return args[0] is not None
        case "NOT":
            return not truth(args[0])
        case "AND":
            return all(map(truth, args))
        case "OR":
            return any(map(truth, args))
        case "MIN" | "MAX":
            return extreme(name, args)
        case "SUM" | "SUB" | "MUL":
            return combine(name, args)
        case "DIV":
            over, by = (float(number(one)) for one in args)
            return None if by == 0 else divide(over, by)
        case "MOD":
            return modulo(*(number(one) for one in args))
        case "LOG10":
            found = float(number(args[0]))
            if math.isnan(found):
                return found
            return math.log10(found) if found > 0 else None
        case "BUCKET":
            return bucket(*args)
        case "INT":
            return to_int(args[0])
        case "FLOAT":
            return float(args[0]) if isinstance(args[0], bool) else float(number(args[0]))
        case "BOOL":
            return truth(args[0])
        case "STRING":
            return text(args[0]) or ""
        case "CONCAT":
            return "".join((text(one) or "")[:TEXT_CHARS_MAX] for one in args)
        case "STARTS_WITH" | "ENDS_WITH" | "CONTAINS":
            return tested(name, args[0], args[1])
        case "TO_LOWER":
            return args[0].lower() if isinstance(args[0], str) else None
        case "LENGTH":
            if not isinstance(args[0], str):
                return None
            return len(args[0].encode()) if args[1:] == ["bytes"] else len(args[0])
        case "REG_MATCH":
            return isinstance(args[0], str) and re.search(str(args[1]), args[0]) is not None
        case "REG_VALUE":
            found = re.search(str(args[1]), args[0]) if isinstance(args[0], str) else None
            if found is None:
                return None
            return (found[1] or "") if found.re.groups else found[0]
        case "REG_COUNT":
            if not isinstance(args[0], str):
                return 0
            return sum(1 for _ in re.finditer(str(args[1]), args[0]))
        case "UNIX_TIMESTAMP":
            return unix_timestamp(args[0])
        case "EVENT_TIMESTAMP":
            return float(time_ns) / 1e9
        case "RAND":
            return float(digest(str(time_ns)) >> 11) / 2.0**53
        case "FORMAT_TIME":
            return format_time(str(args[0]), args[1])
        case "METRO_HASH":
            written = text(args[0])
            return None if written is None else digest(written) >> 1
    raise AssertionError(name)


def digest(written: str) -> int:
    """The second half of the MD5, its bytes from the least on."""
    return int.from_bytes(hashlib.md5(written.encode()).digest()[8:], "little")


def case(tests: list[bool], args: list[Value]) -> Value:
    for at, test in enumerate(tests):
        if test:
            return args[2 * at + 1]
    return args[-1] if len(args) % 2 else None


def is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def truth(value: Value) -> bool:
    if isinstance(value, str):
        return value == "true"
    return value is not None and value != 0


def text(value: Value) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and -(2.0**63) <= value < 2.0**63:
        return str(int(value))
    return None if value is None else str(value)


def ordering(value: int | float) -> tuple[int, Fraction]:
    """NaN is larger than every number and equal to itself, as it is for filters."""
    if isinstance(value, float) and math.isnan(value):
        return 2, Fraction(0)
    if isinstance(value, float) and math.isinf(value):
        return (1 if value > 0 else -1), Fraction(0)
    return 0, Fraction(value)


def kind(value: Value) -> str:
    if isinstance(value, bool):
        return "bool"
    if value is None:
        return "absent"
    return "string" if isinstance(value, str) else "number"


def equal(left: Value, right: Value) -> bool:
    if kind(left) != kind(right):
        return False
    if is_number(left):
        return ordering(left) == ordering(right)  # type: ignore[arg-type]
    return left == right


def ordered(name: str, left: Value, right: Value) -> bool:
    if kind(left) != kind(right) or kind(left) not in ("number", "string"):
        return False
    a, b = (ordering(one) if is_number(one) else one for one in (left, right))  # type: ignore[arg-type]
    return {"LT": a < b, "LTE": a <= b, "GT": a > b, "GTE": a >= b}[name]  # type: ignore[operator]


def extreme(name: str, args: list[Value]) -> Value:
    held = [one for one in args if one is not None]
    if not held:
        return None
    alike = [one for one in held if kind(one) == kind(held[0])]
    choose = min if name == "MIN" else max
    if kind(held[0]) != "number":
        return choose(alike)  # type: ignore[type-var]
    best = choose(ordering(one) for one in alike)  # type: ignore[arg-type]
    equals = [one for one in alike if ordering(one) == best]  # type: ignore[arg-type]
    return next((one for one in equals if isinstance(one, int)), equals[0])


def number(value: Value) -> int | float:
    """What arithmetic reads: 0 where there is no number."""
    if isinstance(value, str):
        read = float(value) if _NUMBER.fullmatch(value) else math.nan
        return read if math.isfinite(read) else 0
    if value is None or isinstance(value, bool):
        return 0
    return value


def combine(name: str, args: list[Value]) -> Value:
    numbers = [number(one) for one in args]
    steps = {
        "SUM": lambda a, b: a + b,
        "SUB": lambda a, b: a - b,
        "MUL": lambda a, b: a * b,
    }
    if all(isinstance(one, int) for one in numbers):
        made = numbers[0]
        for one in numbers[1:]:
            made = steps[name](made, one)
            if not -(2**63) <= made < 2**63:
                break
        else:
            return made
    result = float(numbers[0])
    for one in numbers[1:]:
        result = steps[name](result, float(one))
    return result


def divide(over: float, by: float) -> float:
    try:
        return over / by
    except OverflowError:
        return math.copysign(math.inf, over) * math.copysign(1, by)


def modulo(over: int | float, by: int | float) -> Value:
    if by == 0:
        return None
    if isinstance(over, int) and isinstance(by, int):
        return abs(over) % abs(by) * (-1 if over < 0 else 1)
    over, by = float(over), float(by)
    if math.isinf(over) or math.isnan(over) or math.isnan(by):
        return math.nan
    return math.fmod(over, by) if by != 0 else None


def bucket(value: Value, size: Value, least: Value = None, most: Value = None) -> Value:
    if not is_number(value):
        return None
    held = float(value)  # type: ignore[arg-type]
    low, step = float(least or 0), float(size)  # type: ignore[arg-type]
    if math.isnan(held):
        return None
    if least is not None and held < low:
        return f"< {text(low)}"
    if most is not None and held > float(most):
        return f"> {text(float(most))}"
    steps = (held - low) / step
    if not math.isfinite(steps):
        return None
    steps = float(math.ceil(steps)) - 1
    if least is not None:
        steps = max(steps, 0.0)
    high = low + (steps + 1) * step
    if most is not None:
        high = min(high, float(most))
    return f"{text(low + steps * step)} - {text(high)}"


def to_int(value: Value) -> Value:
    if isinstance(value, bool):
        return int(value)
    read = float(number(value))
    if not math.isfinite(read) or not -(2.0**63) <= read < 2.0**63:
        return None
    return int(read)


def tested(name: str, value: Value, part: Value) -> bool:
    if not isinstance(value, str) or not isinstance(part, str):
        return False
    if name == "CONTAINS":
        return part in value
    return value.startswith(part) if name == "STARTS_WITH" else value.endswith(part)


def unix_timestamp(value: Value) -> Value:
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        return None
    whole, fraction = re.sub(r"\.\d+", "", value), re.search(r"\.(\d+)", value)
    try:
        found = datetime.fromisoformat(whole)
        micros = (found - EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
    if re.search(r":60|T24|[+-]2[4-9]:..$|:[6-9]\d$", value):
        return None
    micros += int(fraction[1][:6].ljust(6, "0")) if fraction else 0
    return float(micros) / 1e6


def format_time(form: str, value: Value) -> Value:
    if not is_number(value):
        return None
    seconds = float(value)  # type: ignore[arg-type]
    if not -62_135_596_800 <= seconds < 253_402_300_800:
        return None
    time = EPOCH + timedelta(microseconds=math.floor(seconds * 1e6))
    specials = {
        "s": str(math.floor(math.floor(seconds * 1e6) / 10**6)),
        "C": f"{time.year // 100:02d}",
        "e": f"{time.day:2d}",
        "Y": f"{time.year:04d}",
        "g": f"{time.isocalendar().year % 100:02d}",
        "G": f"{time.isocalendar().year:04d}",
        "n": "\n",
        "t": "\t",
        "%": "%",
        "Z": "UTC",
        "z": "+0000",
    }
    written_out = {
        "c": "%a %b %e %H:%M:%S %Y", "D": "%m/%d/%y", "F": "%Y-%m-%d", "h": "%b", "x": "%m/%d/%y",
        "r": "%I:%M:%S %p", "R": "%H:%M", "T": "%H:%M:%S", "X": "%H:%M:%S",
    }  # fmt: skip
    form = re.sub(r"%([%a-zA-Z])", lambda one: written_out.get(one[1], one[0]), form)
    return re.sub(r"%([%a-zA-Z])", lambda one: specials.get(one[1]) or time.strftime(one[0]), form)
