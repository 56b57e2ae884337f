"""The protocol over HTTP (streamable), for several clients; each call stands alone.

No call needs a session, so any of several servers can answer it. A `Host` or `Origin` that was not
allowed is refused (421, 403): a page in a browser cannot reach a server on loopback by another
name.
"""

import socket
from collections.abc import Sequence
from typing import Any, Final

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings

from common import limits

PATH: Final = "/mcp"
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_STOP_S: Final = 5  # calls in flight may finish


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens. port: 0 for any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        bound.listen(limits.AGENT_CONNECTIONS_MAX)
    except BaseException:
        bound.close()
        raise
    return bound


async def serve(server: MCPServer[Any], bound: socket.socket, hosts: Sequence[str]) -> None:
    """Answer on the socket until a signal to stop. hosts: names by which it may be called, without
    a port, besides those of loopback.
    """
    names = [*LOOPBACK, *hosts]
    app = server.streamable_http_app(
        streamable_http_path=PATH,
        json_response=True,
        stateless_http=True,
        max_request_body_size=limits.AGENT_BODY_BYTES_MAX,
        transport_security=TransportSecuritySettings(
            allowed_hosts=[pattern for name in names for pattern in (name, f"{name}:*")],
            allowed_origins=[
                f"{scheme}://{name}{port}"
                for name in names for scheme in ("http", "https") for port in ("", ":*")
            ],
        ),
    )  # fmt: skip
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=limits.AGENT_CONNECTIONS_MAX,
        timeout_graceful_shutdown=_STOP_S,
    )
    await uvicorn.Server(config).serve(sockets=[bound])
