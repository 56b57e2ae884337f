"""Starts the listener of OTLP over gRPC where the settings ask for it. Others never load grpcio."""

import os
from typing import TYPE_CHECKING, Final

from common.errors import BellwetherError
from shepherd.config import ShepherdConfig
from shepherd.otlp.grpc.exports import Exports

if TYPE_CHECKING:
    from shepherd.otlp.grpc.listener import GrpcListener

_READ_WHEN_LOADED: Final = {
    "GRPC_VERBOSITY": "NONE",  # else it writes a line to stderr for whatever a client gets wrong
    "GRPC_ENABLE_FORK_SUPPORT": "0",  # children of a shepherd only run another program
}
_REMEDY: Final = "set shepherd.otlp_grpc_port to -1 to go without it"


class CannotListen(BellwetherError):
    """OTLP over gRPC cannot be served. The message says why, and what to do."""


async def start_listener(exports: Exports, config: ShepherdConfig) -> "GrpcListener | None":
    """Listen where the settings say; None if they say nowhere. Raises CannotListen, OSError."""
    if config.otlp_grpc_port < 0:
        return None
    for name, value in _READ_WHEN_LOADED.items():
        os.environ.setdefault(name, value)
    try:
        from shepherd.otlp.grpc.listener import PortTaken, listen
    except ModuleNotFoundError as error:
        if error.name != "grpc":
            raise
        raise CannotListen(
            "OTLP over gRPC needs the package grpcio, which is not installed: pip install "
            f"'bellwether[server]' brings it; or {_REMEDY}"
        ) from error
    try:
        return await listen(exports, config)
    except PortTaken as error:
        raise CannotListen(
            f"cannot listen for OTLP over gRPC on {error.address}: another process has the port, "
            "or the address is not of this machine. Set shepherd.otlp_grpc_port to another port "
            f"(0: any free one); or {_REMEDY}"
        ) from error
