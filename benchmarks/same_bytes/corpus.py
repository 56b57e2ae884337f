"""Bodies of requests for events, the same in every run: whole ones, odd ones, damaged ones."""

import json
import random
from collections.abc import Iterator
from typing import NamedTuple

import msgpack

START_S = 1_790_000_000
_SEED = 13
_DAMAGED = 1_500
_SERVICES = ("front", "cart", "search", "pay", "mail", "st\u00f6ck")
_ODD_VALUES: tuple[object, ...] = (
    None, True, False, 0, -0.0, 0.1, 1e22, 5e-324, 1.7976931348623157e308, 2**53 + 1, 2**63 - 1,
    -(2**63), 2**63, 2**64, 10**30, "", " ", "200", "1e3", "true", "null", "\u0000", "a\nb\tc\"\\",
    "\u00e9\U0001f600\u2028", "x" * 300, "x" * 66_000, [], {}, [1, [2, {"a": None}]],
    {"a": {"b": {"c": {"d": 1}}}}, {"": 1}, [{}], ["\u00fc"], {"a.b": 1, "a": {"b": 2}},
)  # fmt: skip
_ODD_TEXTS = (
    b"", b" ", b"null", b"[]", b"{}", b"[{}]", b"7", b"[7]", b'[{"data":7}]', b'[{"data":{}}]',
    b'[{"data":{"a":NaN}}]', b'[{"data":{"a":01}}]', b'[{"data":{"a":1}},]', b'[{"data":{"a":1}}',
    b'[{"data":{"a":1}}]x', b'[{"data":{"a":1,"a":2}}]', b'[{"data":{"a":1},"data":{"b":2}}]',
    b'[{"d\\u0061ta":{"\\u0061":"\\ud83d\\ude00 \\ud800"}}]', b'[{"data":{"a":"\xff"}}]',
    b'\xef\xbb\xbf[{"data":{"a":1}}]', b'[{"data":{"a":1e999,"b":-1e999,"c":1e-999}}]',
    b'[ { "data" : { "a" : [ 1 , { } ] } , "time" : 1790000000 , "samplerate" : 3 } ]\r\n',
    b'{"data":{"a":1}}\n{"data":{"a":2}}', b'[{"data":{"a":' + b"[" * 600 + b"]" * 600 + b"}}]",
    b'[{"data":{' + b",".join(b'"f%d":%d' % (n, n) for n in range(2_001)) + b"}}]",
    b'[{"data":{"' + b"k" * 3_000 + b'":1}}]', b'[{"data":{"a":"' + b"x" * 1_050_000 + b'"}}]',
)  # fmt: skip
_TIMES: tuple[object, ...] = (
    START_S, float(START_S) + 0.25, START_S * 1_000, START_S * 10**6, START_S * 10**9, 0, -1,
    "2026-09-21T14:13:20Z", "2026-09-21T14:13:20.123456789+02:00", "2026-09-21 14:13:20",
    str(START_S), f"{START_S}.5", "yesterday", "", None, True, [], 1e30, "9999-12-31T23:59:59Z",
    "1677-09-21T00:12:43Z", 10**25,
)  # fmt: skip
_RATES: tuple[object, ...] = (1, 2, 10, 2.0, 2.5, 0, -1, "3", "x", None, True, 2**31, 2**63, 1e30)


class Body(NamedTuple):
    """A body of a batch, and how it is written: json or msgpack."""

    name: str
    media: str
    data: bytes


def bodies() -> list[Body]:
    """All of them."""
    chance = random.Random(_SEED)
    whole = [*_batches(chance)]
    found = [*_texts(whole)]
    found += [Body(f"odd {n}", "json", text) for n, text in enumerate(_ODD_TEXTS)]
    return [*found, *_damaged(chance, [one for one in found if len(one.data) < 3_000])]


def _wide(chance: random.Random, number: int) -> dict[str, object]:
    data: dict[str, object] = {
        "trace.trace_id": f"{chance.getrandbits(128):032x}",
        "service.name": chance.choice(_SERVICES),
        "duration_ms": round(chance.lognormvariate(2, 1.3), 3),
        "status": chance.choice([200, 200, 200, 404, 500, "200", 200.0]),
        "cache.hit": chance.random() < 0.7,
        "url": f"https://shop.test/items/{chance.randrange(10**6)}",
        "n": number,
        "attributes": {"user": {"id": chance.randrange(500), "tags": ["a", chance.random()]}},
    }
    if chance.random() < 0.2:
        data[f"rare.{chance.randrange(300)}"] = chance.choice(_ODD_VALUES)
    return data


def _batches(chance: random.Random) -> Iterator[tuple[str, list[object]]]:
    """Batches as values."""
    number = 0
    for size in (1, 2, 10, 100, 100, 500, 1_000):
        events: list[object] = []
        for _ in range(size):
            number += 1
            time_s = START_S + number * 0.0009
            events.append(
                {
                    "time": time_s,
                    "samplerate": chance.choice([1, 1, 10]),
                    "data": _wide(chance, number),
                }
            )
        yield f"wide {size} {number}", events
    yield (
        "values",
        [{"time": START_S, "data": {"v": v, f"w{n % 7}": v}} for n, v in enumerate(_ODD_VALUES)],
    )
    yield "times", [{"time": time, "data": {"n": n}} for n, time in enumerate(_TIMES)]
    yield "rates", [{"samplerate": rate, "data": {"n": n}} for n, rate in enumerate(_RATES)]
    yield (
        "others",
        [{"data": {"a": 1}, "x": [{}], "time": START_S}, {}, 7, None, [], "x", {"data": None}],
    )
    yield (
        "names",
        [
            {"data": {name: 1}}
            for name in ("", " ", "a.b", "\u00e9", "x" * 2_000, "_t", "t", "\u0000", "A", "a")
        ],
    )
    yield "far", [{"time": START_S - 90 * 86_400, "data": {"n": n}} for n in range(20)]


def _texts(batches: list[tuple[str, list[object]]]) -> Iterator[Body]:
    for name, events in batches:
        yield Body(f"{name} json", "json", json.dumps(events).encode("utf-8", "surrogatepass"))
        compact = json.dumps(events, ensure_ascii=False, separators=(",", ":"))
        yield Body(f"{name} compact", "json", compact.encode())
        yield Body(f"{name} msgpack", "msgpack", msgpack.packb([_small(one) for one in events]))
    packed = [
        {
            "data": {"b": b"\xff\x00", "t": msgpack.Timestamp(1, 5), 7: 1},
            "time": msgpack.Timestamp(START_S, 9),
        }
    ]
    yield Body("kinds msgpack", "msgpack", msgpack.packb(packed))
    yield Body("nil msgpack", "msgpack", b"\xc0")


def _small(value: object) -> object:
    """Without integers that msgpack does not have."""
    if isinstance(value, dict):
        return {name: _small(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_small(one) for one in value]
    is_large = isinstance(value, int) and not -(2**63) <= value < 2**64
    return float(str(value)) if is_large else value


def _damaged(chance: random.Random, sound: list[Body]) -> Iterator[Body]:
    """Bodies with some bytes changed, left out or doubled."""
    for number in range(_DAMAGED):
        one = chance.choice(sound)
        data = bytearray(one.data)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(data) + 1)
            how = chance.randrange(4)
            if how == 0 and at < len(data):
                data[at] = chance.choice(b'{}[]",:0129eE.-\\ntfu \x00\x7f\x80\xc0\xff')
            elif how == 1:
                del data[at : at + chance.randint(1, 9)]
            elif how == 2:
                data[at:at] = data[max(0, at - chance.randint(1, 20)) : at]
            else:
                data[at:at] = chance.choice([b",", b'"', b"1", b"{}", b"[", b"\\u00e9", b"null"])
        yield Body(f"damaged {number}", one.media, bytes(data))
