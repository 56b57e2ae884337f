"""What is checked before a role starts, the certificate and the ports; and their addresses."""

import ssl

from bellwether.supervisor.grpc_port import GrpcPort, free_port
from shepherd.config import ShepherdConfig

# Scripts can tell the reasons apart.
EXIT_HELD = 3
EXIT_PORT = 4
EXIT_BAD_START = 5


class CannotStart(Exception):
    """`up` cannot start. The message states the cause and the remedy. `code` is its exit code."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def check_tls(config: ShepherdConfig) -> None:
    """Check certificate and key before a role fails on them. Raises CannotStart."""
    if not config.tls_cert:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            config.tls_cert, config.tls_key, password=_no_password
        )
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise CannotStart(
            f"cannot use shepherd.tls_cert {config.tls_cert} with shepherd.tls_key "
            f"{config.tls_key}: {error}. Give a PEM certificate and its key without a password.",
            EXIT_BAD_START,
        ) from error


def _no_password() -> str:
    raise ValueError("the key is protected by a password")


def choose_port(host: str, port: int) -> int:
    """Check that the port can be listened on; port 0 gives a free one. Raises CannotStart."""
    try:
        return free_port(host, port)
    except OSError as error:
        raise CannotStart(
            f"cannot listen on {host}:{port}: {error.strerror}. "
            "Choose another port with --port (0: any free one).",
            EXIT_PORT,
        ) from error


def check_grpc(found: GrpcPort) -> None:
    """Raises CannotStart for a port of OTLP over gRPC that the operator wants and cannot have."""
    if found.trouble and found.given:
        raise CannotStart(
            f"OTLP over gRPC: {found.trouble}. Set shepherd.otlp_grpc_port to another port "
            "(0: any free one, -1: no gRPC).",
            EXIT_PORT,
        )


def public_url(config: ShepherdConfig, port: int) -> str:
    """The address to give to clients on this machine."""
    return f"{'https' if config.tls_cert else 'http'}://{_local_host(config)}:{port}"


def grpc_address(config: ShepherdConfig, port: int) -> str:
    """Where clients on this machine send OTLP over gRPC; empty if there is no port for it."""
    return f"{_local_host(config)}:{port}" if port > 0 else ""


def _local_host(config: ShepherdConfig) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(config.host, config.host)
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
