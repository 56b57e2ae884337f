"""Log records as an SDK's bridge of a logging library sends them: one resource, one scope."""

import random

from benchmarks.otlp.spans import RESOURCE, START_NS, fill

ATTRIBUTES = 8  # of a record
_LEVELS = (("INFO", 9), ("INFO", 9), ("DEBUG", 5), ("WARN", 13), ("ERROR", 17))
_SPREAD_NS = 10**12


def make_log_records(seed: int, records: int) -> bytes:
    """An ExportLogsServiceRequest with so many records, written within a quarter of an hour."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    dice = random.Random(seed)
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    fill(group.resource.attributes, RESOURCE)
    scope = group.scope_logs.add()
    scope.scope.name = "shop.views.cart"
    for _ in range(records):
        text, number = dice.choice(_LEVELS)
        at = START_NS + dice.randrange(_SPREAD_NS)
        one = scope.log_records.add(
            time_unix_nano=at,
            observed_time_unix_nano=at + dice.randrange(10**6),
            severity_text=text,
            severity_number=number,
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
            flags=1,
        )
        cart, user = dice.randrange(10**6), f"u-{dice.getrandbits(32):08x}"
        one.body.string_value = f"cart {cart} of user {user}: {dice.randrange(100)} items, ok"
        values = {
            "code.file.path": "/srv/shop/views/cart.py",
            "code.function.name": "get_cart",
            "code.line.number": dice.randrange(400),
            "thread.name": f"worker-{dice.randrange(16)}",
            "logger.name": "shop.views.cart",
            "cart.id": cart,
            "user.id": user,
            "took_ms": dice.random() * 100,
        }
        fill(one.attributes, values)
    return bytes(request.SerializeToString())
