"""Values that are hard to read or to store: distinct, long, not ASCII, of mixed type, nested."""

import json
import random

import orjson

from benchmarks.systems.base import Checks
from benchmarks.workloads.base import Workload

_WORDS = (
    "connection", "refused", "while", "reading", "response", "header", "from", "upstream", "client",
    "server", "request", "timeout", "retry", "of", "the", "in", "pool", "handler", "at", "line",
)  # fmt: skip
_SCRIPTS = (
    "привет мир сервер запрос ошибка",
    "γειά σου κόσμε αίτημα",
    "你好世界 服务器 请求 错误",
    "こんにちは サーバー エラー",
    "🙂🚀🔥 ✅ ❌",
    "naïve façade über žluťoučký",
    'quote " back\\slash tab\t',
)
_DEPTH = 8


def distinct(seed: int, events: int) -> list[bytes]:
    """Ids of several kinds; no text comes twice."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        event = {
            "id": f"{dice.getrandbits(128):032x}",
            "session": f"{dice.getrandbits(64):x}-{dice.getrandbits(32):x}",
            "user": f"user-{dice.getrandbits(40)}@example.test",
            "url": f"https://shop.test/item/{dice.getrandbits(48)}?ref={dice.getrandbits(32):x}",
            "request": f"{dice.getrandbits(256):064x}",
            "number": number,
            "amount": round(dice.random() * 1e6, 2),
        }
        found.append(orjson.dumps(event))
    return found


def long_text(seed: int, events: int) -> list[bytes]:
    """A message and a stack of some kilobytes with line breaks and quotes."""
    dice = random.Random(seed)
    found = []
    for _ in range(events):
        frames = [
            f'  File "/srv/app/{dice.choice(_WORDS)}.py", line {dice.randint(1, 900)}\n'
            f"    {' '.join(dice.choices(_WORDS, k=12))}"
            for _ in range(dice.randint(10, 60))
        ]
        event = {
            "level": dice.choice(("info", "warning", "error")),
            "message": " ".join(dice.choices(_WORDS, k=dice.randint(20, 120))),
            "stack": "\n".join(frames),
            "code": dice.randint(1, 500),
            "took_ms": round(dice.random() * 90, 2),
        }
        found.append(orjson.dumps(event))
    return found


def unicode_text(seed: int, events: int) -> list[bytes]:
    """Several scripts, escapes, and names of fields that are not ASCII."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        words = " ".join(dice.choices(_SCRIPTS, k=3)).split(" ")
        dice.shuffle(words)
        event = {
            "текст": " ".join(words),
            "title": dice.choice(_SCRIPTS),
            "城市": dice.choice(("北京", "東京", "서울", "Αθήνα")),
            "emoji": dice.choice("🙂🚀🔥✅") * dice.randint(1, 4),
            "number": number,
            "share": round(dice.random(), 4),
        }
        keeps_to_ascii = number % 4 == 0  # as many clients do
        text = json.dumps(event, ensure_ascii=keeps_to_ascii, separators=(",", ":"))
        found.append(text.encode())
    return found


def mixed_types(seed: int, events: int) -> list[bytes]:
    """Five fields that change their type from event to event, and three that keep it."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        event: dict[str, object] = {
            "service": f"service-{number % 20}",
            "number": number,
            "share": round(dice.random(), 5) + 1.5,
        }
        for field in range(5):
            kind = dice.randrange(8)
            event[f"any_{field}"] = (
                dice.randint(0, 10**6), dice.random(), f"text {dice.randint(0, 99)}",
                dice.random() < 0.5, None, [1, "a"], f"{dice.randint(0, 99)}", 2**60 + number,
            )[kind]  # fmt: skip
        found.append(orjson.dumps(event))
    return found


def nested(seed: int, events: int) -> list[bytes]:
    """Objects within objects eight deep, each level with values of its own."""
    dice = random.Random(seed)
    found = []
    for number in range(events):
        inner: dict[str, object] = {"leaf": dice.randint(0, 1000)}
        for level in reversed(range(_DEPTH)):
            inner = {
                "name": f"level-{level}-{dice.randint(0, 9)}",
                "size": dice.randint(0, 10**6),
                "tags": [dice.choice(_WORDS), dice.choice(_WORDS)],
                f"level{level}": inner,
            }
        inner["number"] = number
        found.append(orjson.dumps(inner))
    return found


DISTINCT = Workload(
    "high cardinality",
    "ids, addresses and urls, none of which comes twice",
    distinct,
    Checks((("number",), ("amount",)), ("user",)),
    events=150_000,
)
LONG_TEXT = Workload(
    "long text",
    "a message and a stack of some kilobytes, with line breaks and quotes",
    long_text,
    Checks((("code",), ("took_ms",)), ("stack",)),
    events=12_000,
    body_events=100,
)
UNICODE = Workload(
    "unicode",
    "several scripts in values and names; a quarter of the events written with escapes",
    unicode_text,
    Checks((("number",), ("share",)), ("текст",)),
    events=150_000,
)
MIXED = Workload(
    "mixed types",
    "five fields that change their type from event to event",
    mixed_types,
    Checks((("number",), ("share",)), ("service",)),
    events=200_000,
)
NESTED = Workload(
    "deep nesting",
    f"objects {_DEPTH} deep with arrays; ours unpacks all levels",
    nested,
    Checks((("number",), ("level0", "level1", "size")), ("name",)),
    events=60_000,
    depth=_DEPTH,
)
