"""Spans of a web shop as an SDK sends them: one resource, one scope."""

import random

START_NS = 1_789_999_000 * 10**9
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0"
RESOURCE = {
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
    "telemetry.sdk.version": "1.45.2",
    "service.name": "shop",
    "service.instance.id": "0b7a7c1e-6f0c-4d0f-9f5a-3f2f0c9f8d11",
    "host.name": "ip-10-0-3-17",
    "process.pid": 4711,
}


def span_attributes(dice: random.Random) -> dict[str, object]:
    """Twenty attributes of a span of a web shop."""
    return {
        "http.request.method": dice.choice(("GET", "GET", "POST")),
        "url.path": f"/api/v2/carts/{dice.randrange(10**6)}/items",
        "http.response.status_code": dice.choice((200, 200, 200, 404, 500)),
        "server.address": "shop.example.com",
        "server.port": 443,
        "client.address": ".".join(str(dice.randrange(256)) for _ in range(4)),
        "user_agent.original": _AGENT,
        "db.rows": dice.randrange(1_000),
        "cache.hit": dice.random() < 0.5,
        "cart.total": round(dice.uniform(0, 500), 2),
        "user.id": f"u-{dice.getrandbits(32):08x}",
        "build.id": f"b{dice.randrange(100)}",
        "cloud.region": "eu-west-1",
        "cloud.availability_zone": dice.choice(("eu-west-1a", "eu-west-1b")),
        "thread.name": f"worker-{dice.randrange(16)}",
        "thread.id": dice.randrange(10**6),
        "code.function.name": "shop.views.cart.get_cart",
        "queue.ms": dice.random() * 100,
        "retries": 0,
        "payload.bytes": dice.randrange(10**5),
    }


def make_request(seed: int, spans: int, start_ns: int = START_NS) -> bytes:
    """An ExportTraceServiceRequest as an SDK sends it: one resource, one scope.

    start_ns: unix ns; the spans begin within a quarter of an hour from then on.
    """
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
    from opentelemetry.proto.trace.v1.trace_pb2 import Span

    dice = random.Random(seed)
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    fill(group.resource.attributes, RESOURCE)
    scope = group.scope_spans.add()
    scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.flask", "0.66b2"
    for _ in range(spans):
        start = start_ns + dice.randrange(10**12)
        one = scope.spans.add(
            trace_id=dice.randbytes(16),
            span_id=dice.randbytes(8),
            parent_span_id=dice.randbytes(8),
            name=dice.choice(("GET /carts/{id}", "SELECT orders", "POST /checkout")),
            kind=Span.SPAN_KIND_SERVER,
            start_time_unix_nano=start,
            end_time_unix_nano=start + dice.randrange(1_000, 10**9),
            flags=256,
        )
        fill(one.attributes, span_attributes(dice))
    return bytes(request.SerializeToString())


def fill(attributes: "list[object]", values: "dict[str, object]") -> None:
    """Add attributes to a message's repeated field."""
    members = {bool: "bool_value", int: "int_value", float: "double_value", str: "string_value"}
    for name, value in values.items():
        one = attributes.add(key=name)  # type: ignore[attr-defined]  # a repeated field
        setattr(one.value, members[type(value)], value)
