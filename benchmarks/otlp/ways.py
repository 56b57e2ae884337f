"""Ways of spans into an installation: a protocol, an encoding, spans per request."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from benchmarks.otlp.bodies import Form
from benchmarks.serving.client import Address, NotAccepted, request, send_all
from benchmarks.serving.events import is_accepted

CONNECTIONS = 4
SERVICE = "shop"  # of all spans, and so their dataset
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_TIMEOUT_S = 60.0
_JSON, PROTOBUF = "application/json", "application/x-protobuf"
_ROUTES = {
    Form.PROTOBUF: ("/v1/traces", PROTOBUF),
    Form.JSON: ("/v1/traces", _JSON),
    Form.BATCH: (f"/1/batch/{SERVICE}", _JSON),
    Form.ZIPKIN: ("/api/v2/spans", _JSON),
}


@dataclass(frozen=True, slots=True)
class Way:
    """single: requests have one span each. grpc: over gRPC, else HTTP."""

    form: Form
    single: bool = False
    grpc: bool = False

    @property
    def name(self) -> str:
        """As it is shown."""
        over = "OTLP/gRPC" if self.grpc else str(self.form)
        return f"{over}, 1 span a request" if self.single else over


def send(way: Way, bodies: Sequence[bytes], address: Address, grpc: str, key: str) -> None:
    """Returns when all was acknowledged. Raises NotAccepted. grpc: address of that listener."""
    if way.grpc:
        _send_grpc(bodies, grpc, key)
        return
    path, media = _ROUTES[way.form]
    headers = {"X-Honeycomb-Team": key, "Content-Type": media}
    requests = [request(path, headers, one) for one in bodies]
    check = _is_stored if way.form is not Form.BATCH else is_accepted
    send_all([address], requests, CONNECTIONS, check)


def _is_stored(status: int, body: bytes) -> bool:
    """Whether all of a request was: `partial_success` would say what was not."""
    return status in (200, 202) and body in (b"", b"{}", b"[]")


def _send_grpc(bodies: Sequence[bytes], address: str, key: str) -> None:
    """Over connections of their own, one request at a time on each, as over HTTP."""
    import grpc

    metadata = (("x-honeycomb-team", key),)
    options = [("grpc.use_local_subchannel_pool", 1)]

    def connection(some: Sequence[bytes]) -> None:
        with grpc.insecure_channel(address, options=options) as channel:
            export = channel.unary_unary(_EXPORT)
            for one in some:
                answer = export(one, metadata=metadata, timeout=_TIMEOUT_S)
                if answer:
                    raise NotAccepted(f"{answer[:300]!r}")

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        shares = [bodies[number::CONNECTIONS] for number in range(CONNECTIONS)]
        list(pool.map(connection, shares))
