"""The port of OTLP over gRPC under `up`: the usual one, if nobody says otherwise and it is free."""

import importlib.util
import socket
from typing import NamedTuple

from bellwether.config.settings import Settings
from shepherd.config import ShepherdConfig

USUAL_PORT = 4317  # where exporters send to
NO_PORT = -1
_NOT_INSTALLED = "the package grpcio is not installed (pip install 'bellwether[server]')"


class GrpcPort(NamedTuple):
    """port: to listen on, NO_PORT for none. trouble: why the wanted one cannot be; else empty.

    given: whether the operator wants this one, so that `up` must not start without it.
    """

    port: int
    trouble: str
    given: bool


def choose_grpc_port(settings: Settings) -> GrpcPort:
    """Which port to listen on. A free one is chosen here: it stays when a role starts again."""
    config = settings.section(ShepherdConfig)
    given = any(
        one.section == "shepherd"
        and one.declared.name == "otlp_grpc_port"
        and one.source != "default"
        for one in settings.resolved
    )
    wanted = config.otlp_grpc_port
    if not given:
        wanted = USUAL_PORT if config.port else 0
    if wanted == NO_PORT:
        return GrpcPort(NO_PORT, "", given)
    if importlib.util.find_spec("grpc") is None:
        return GrpcPort(NO_PORT, _NOT_INSTALLED, given)
    try:
        return GrpcPort(free_port(config.host, wanted), "", given)
    except OSError as error:
        trouble = f"cannot listen on {config.host}:{wanted}: {error.strerror}"
        return GrpcPort(NO_PORT, trouble, given)


def free_port(host: str, port: int) -> int:
    """The port, if it can be listened on; for port 0 a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        chosen: int = probe.getsockname()[1]
        return chosen
