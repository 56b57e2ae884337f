"""Wide events like those of a traced web shop: input for tests and measurements.

Everything follows from the seed, so two calls with equal arguments give equal events.
"""

import random
from collections.abc import Iterator

import orjson

from common.model.record_value import encode_event_line
from indexer.shred.interface import ShredInput

START_NS = 1_790_000_000 * 10**9
_SERVICES = [f"shop-{part}" for part in ("front", "cart", "search", "pay", "mail", "stock")]
_ROUTES = ["/", "/cart", "/cart/{id}", "/search", "/login", "/api/v2/items/{id}", "/healthz"]
_STATUS = [200] * 85 + [201] * 4 + [304] * 3 + [404] * 5 + [500] * 2 + [503]


def wide_event(dice: random.Random, trace: str) -> dict[str, object]:
    """One span with 24 fields or a few more."""
    service, route, status = dice.choice(_SERVICES), dice.choice(_ROUTES), dice.choice(_STATUS)
    event: dict[str, object] = {
        "trace.trace_id": trace,
        "trace.span_id": f"{dice.getrandbits(64):016x}",
        "trace.parent_id": f"{dice.getrandbits(64):016x}",
        "name": f"{service} {route}",
        "service.name": service,
        "span.kind": dice.choice(["server", "client", "internal"]),
        "duration_ms": round(dice.lognormvariate(2, 1.3), 3),
        "http.route": route,
        "http.url": f"https://shop.test{route}?item={dice.randint(1, 10**6)}",
        "http.method": dice.choice(["GET", "GET", "POST"]),
        "http.status_code": status,
        "host.name": f"node-{dice.randint(1, 300)}.internal",
        "cloud.zone": dice.choice("abc"),
        "user.id": f"user-{dice.randint(1, 50_000)}",
        "request.bytes": dice.randint(100, 20_000),
        "response.bytes": dice.randint(100, 200_000),
        "db.rows": dice.randint(0, 500),
        "cache.hit": dice.random() < 0.7,
        "build.id": f"b{dice.randint(1000, 1040)}",
        "pod": f"{service}-{dice.randint(0, 40):x}",
        "region": "north-1",
        "sdk.version": "2.1.0",
        "queue.depth": dice.randint(0, 90),
        "cpu.user": round(dice.random(), 4),
    }
    if status >= 500:
        event["error"] = dice.choice(["timeout", "reset", "refused"])
    if dice.random() < 0.3:
        event["flag.new_cart"] = dice.random() < 0.5
    return event


def wide_lines(events: int, seed: int = 7) -> Iterator[bytes]:
    """Lines of an events record."""
    dice = random.Random(seed)
    trace = ""
    for number in range(events):
        if not trace or dice.random() < 0.12:
            trace = f"{dice.getrandbits(128):032x}"
        time_ns = START_NS + number * 900_000 + dice.randint(0, 500_000)
        data = orjson.dumps(wide_event(dice, trace))
        yield encode_event_line(time_ns, dice.choice([1, 1, 1, 10]), data)


def wide_records(events: int, per_record: int = 100, seed: int = 7) -> list[ShredInput]:
    """Records of `per_record` wide events each, at offsets 0, 1, 2, ..."""
    lines = list(wide_lines(events, seed))
    return [
        ShredInput(offset, START_NS + at * 900_000, 0, b"".join(lines[at : at + per_record]))
        for offset, at in enumerate(range(0, events, per_record))
    ]


def event_of_name_bytes(size: int) -> bytes:
    """An event whose fields inside one object have full names of `size` bytes together.

    Some are repeated, some null, one is written with escapes: all of them count.
    """
    above, name, repeated = b"x" * 2_500, "kéy".encode(), 200
    members = [rb'"k\u00e9y":1', *[b'"%b":[7]' % name, b'"%b":null' % name] * repeated][:repeated]
    rest = size - repeated * len(above + b"." + name) - len(above + b".")
    members.append(b'"%b":"last"' % (b"r" * rest))
    return b'{"%b":{%b},"n":1}' % (above, b",".join(members))
