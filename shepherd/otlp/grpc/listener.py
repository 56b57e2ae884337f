"""The listener of OTLP over gRPC: grpcio's asyncio server, with limits, TLS and a drain.

This module imports grpcio: import it only to start the listener.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio

from common import limits
from common.process.http.descriptors import open_files
from common.process.trace_context import TRACE_ID, begin_trace
from shepherd.config import ShepherdConfig
from shepherd.http.request import RECEIPT_HEADER, IngestRoute
from shepherd.otlp.grpc.exports import EXPORT, Exports

_DETAILS: Final = "grpc-status-details-bin"
_RECEIPT: Final = RECEIPT_HEADER.lower()
_TRACE_ID: Final = TRACE_ID.lower()
_CODES: Final = {code.value[0]: code for code in grpc.StatusCode}
_FILES_SHARE: Final = 8  # of all descriptors: this listener is beside the public one


class PortTaken(Exception):
    """The port cannot be had."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class _Call:
    """As `exports.Call`."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def metadata(self) -> Mapping[str, str]:
        return {
            name: value
            for name, value in self._context.invocation_metadata()
            if isinstance(value, str)
        }

    async def message(self) -> bytes | None:
        message = await self._context.read()
        return None if message is grpc.aio.EOF else bytes(message)


class _OtherMethods(grpc.GenericRpcHandler):  # type: ignore[misc]  # it is untyped
    """Methods that are not served: UNIMPLEMENTED, as the library says it, with the trace."""

    def service(self, _: object) -> Any:
        return grpc.stream_unary_rpc_method_handler(self._refuse)

    async def _refuse(self, _: object, context: Any) -> None:
        trace_id = begin_trace(_Call(context).metadata())
        await context.abort(
            grpc.StatusCode.UNIMPLEMENTED, "Method not found!", ((_TRACE_ID, trace_id),)
        )


class GrpcListener:
    """As `shepherd.ingest.protocol.ProtocolListener`. address: where it listens."""

    def __init__(self, exports: Exports, server: Any, address: str) -> None:
        self._exports = exports
        self._server = server
        self._busy: set[asyncio.Task[Any]] = set()
        self.address = address

    def add_methods(self) -> None:
        """Serve the methods of the protocol; any other is answered UNIMPLEMENTED."""
        served = [
            grpc.method_handlers_generic_handler(
                service,
                # A stream's message comes when it is asked for: after the key and the room.
                {EXPORT: grpc.stream_unary_rpc_method_handler(self._handler(route))},
            )
            for service, route in self._exports.methods.items()
        ]
        self._server.add_generic_rpc_handlers([*served, _OtherMethods()])

    def _handler(self, route: IngestRoute) -> Any:
        async def export(_: object, context: Any) -> bytes:
            task = asyncio.current_task()
            assert task is not None, "the library runs each call as a task"
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
            answer = await self._exports.answer(route, _Call(context))
            trace = ((_TRACE_ID, answer.trace_id),)
            if answer.status is not None:
                code, text, details = answer.status
                more = (*trace, (_DETAILS, details)) if details else trace
                await context.abort(_CODES[code], text, more)
            receipt = ((_RECEIPT, answer.receipt),) if answer.receipt else ()
            context.set_trailing_metadata((*trace, *receipt))
            return answer.message

        return export

    async def drain(self, timeout_s: float) -> None:
        """As `ProtocolListener.drain`. Clients are told to turn to others (GOAWAY)."""
        await self._server.stop(timeout_s)
        if self._busy:  # cancelled by now: they end before the parts that they use
            await asyncio.wait(self._busy)


async def listen(exports: Exports, config: ShepherdConfig) -> GrpcListener:
    """Listen on the port of the settings. Raises PortTaken, OSError for unreadable files."""
    server = grpc.aio.server(options=_options(config))
    host = f"[{config.host}]" if ":" in config.host else config.host
    wanted = f"{host}:{config.otlp_grpc_port}"
    try:
        if config.tls_cert:
            credentials = await asyncio.to_thread(_credentials, config)
            port = server.add_secure_port(wanted, credentials)
        else:
            port = server.add_insecure_port(wanted)
    except RuntimeError as error:
        raise PortTaken(wanted) from error
    listener = GrpcListener(exports, server, f"{host}:{port}")
    listener.add_methods()
    await server.start()
    return listener


def _credentials(config: ShepherdConfig) -> Any:
    """TLS 1.2 or later, with the public port's certificate."""
    key, certificate = Path(config.tls_key), Path(config.tls_cert)
    return grpc.ssl_server_credentials([(key.read_bytes(), certificate.read_bytes())])


def _options(config: ShepherdConfig) -> Sequence[tuple[str, int]]:
    connections = max(limits.CONNECTIONS_MIN, open_files() // _FILES_SHARE)
    ms = 1_000
    return (
        ("grpc.so_reuseport", int(config.reuse_port and config.otlp_grpc_port > 0)),
        # Messages stay as they were sent: they are decompressed here, piece by piece within limits.
        ("grpc.per_message_decompression", 0),
        ("grpc.max_receive_message_length", limits.OTLP_BODY_BYTES_MAX),
        ("grpc.max_metadata_size", limits.HEADER_LINE_BYTES_MAX),
        ("grpc.absolute_max_metadata_size", limits.HEAD_BYTES_MAX),
        # Without it, the library lets windows grow, and holds megabytes of each unread message.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.max_concurrent_streams", limits.GRPC_STREAMS_MAX),
        ("grpc.max_allowed_incoming_connections", min(limits.GRPC_CONNECTIONS_MAX, connections)),
        # Beyond it the library answers CANCELLED, which exporters repeat.
        ("grpc.server.max_pending_requests", limits.GRPC_PENDING_MAX),
        ("grpc.server.max_pending_requests_hard_limit", limits.GRPC_PENDING_MAX),
        ("grpc.server_handshake_timeout_ms", int(limits.TLS_HANDSHAKE_TIMEOUT_S * ms)),
        ("grpc.max_connection_idle_ms", int(limits.GRPC_IDLE_S * ms)),
        ("grpc.keepalive_time_ms", int(limits.GRPC_KEEPALIVE_S * ms)),
        ("grpc.keepalive_timeout_ms", int(limits.GRPC_KEEPALIVE_TIMEOUT_S * ms)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", int(limits.GRPC_PING_INTERVAL_S * ms)),
    )
