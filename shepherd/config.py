"""Settings of the shepherd."""

from dataclasses import dataclass

from common import limits
from common.settings import setting
from shepherd.http.origins import read_origin


@dataclass(frozen=True, slots=True)
class ShepherdConfig:
    """How events come in."""

    host: str = setting("127.0.0.1", "Address that the public API listens on.")
    port: int = setting(8080, "Port of the public API (0: the system chooses).")
    tls_cert: str = setting("", "PEM file with the certificate chain; with `tls_key` turns on TLS.")
    tls_key: str = setting("", "PEM file with the certificate's private key.")
    otlp_grpc_port: int = setting(
        -1,
        "Port of OTLP over gRPC, at the same address and with the same certificate (0: the system "
        "chooses, -1: none). Where it is not set, `up` takes 4317, or any free one with port 0.",
    )
    linger_ms: float = setting(3.0, "How long events wait for others of their dataset.")
    in_flight_bytes_max: int = setting(
        128 * 1024 * 1024,
        "Request bytes held at once, shared between environments and keys (docs/events.md); more "
        "are answered 503. With less than the default, large bodies are refused sooner.",
    )
    string_bytes_max: int = setting(
        limits.STRING_BYTES_MAX,
        "Bytes of a string after which it is cut, from 65,535 to 1,000,000 (docs/events.md). Set "
        "it to the same on every shepherd.",
    )
    cors_origins: tuple[str, ...] = setting(
        (),
        "Origins of pages whose browsers may send events, such as https://app.example.com, "
        "separated by commas (docs/events.md); `https://*.example.com` for all names below it, "
        "`*` for every page.",
    )
    connections_max: int = setting(
        0,
        "Connections of the public port at once (0: half of the files that may be open, at most "
        "8,192; never more than that half). Without room idle ones are closed.",
    )
    connections_per_address_max: int = setting(
        0,
        "Of those from one address or IPv6 /64 (0: half of them). Raise it when many clients come "
        "through one proxy or NAT. Addresses of this machine may use all: a proxy here has them.",
    )
    proxied_requests_max: int = setting(
        512,
        "Requests handed to query roles at once; more are answered 503. An environment may use two "
        "thirds of them while it is alone, a key half; beyond its share it is answered 429.",
    )
    ack_timeout_s: float = setting(
        4.5, "How long the log may take to acknowledge events, other tries included; then 503."
    )
    reuse_port: bool = setting(
        False,
        "Let several shepherds of one machine listen on the same port: while one restarts, no "
        "connection is refused.",
    )
    drain_ms: int = setting(
        1_000,
        "How long a stopping shepherd goes on answering, not ready and closing connections, when "
        "others run: as long as the balancer needs to notice.",
    )
    named_partitions: int = setting(
        0,
        "Batches that clients name go to the first so many partitions (0: all). Before partitions "
        "are added, set it to their number on every shepherd.",
    )
    fast_path: bool = setting(
        True,
        "Answer requests for events without aiohttp where their heads are plain. Off, aiohttp "
        "answers all of them in the same way, for more CPU: to find out whether a fault is in the "
        "fast path.",
    )
    kernel: bool = setting(True, "compile the fast splitter in the background and use it")
    kernel_cache: str = setting(
        "", "folder of compiled code, also for several roles (empty: in the role's own folder)"
    )
    stop_timeout_s: float = setting(20.0, "How long a stop waits for requests in flight.")
    own_team: str = setting("Default", "Team whose environment gets the own telemetry.")
    own_environment: str = setting("Default", "Environment of the own `bellwether` dataset.")

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError("port must be between 0 and 65535")
        if not -1 <= self.otlp_grpc_port <= 65_535:
            raise ValueError("otlp_grpc_port must be between -1 and 65535")
        if self.otlp_grpc_port == self.port > 0:
            raise ValueError("otlp_grpc_port must not be the port of the public API")
        if not limits.STRING_BYTES_MAX <= self.string_bytes_max <= limits.LONG_STRING_BYTES_MAX:
            raise ValueError(
                f"string_bytes_max must be between {limits.STRING_BYTES_MAX} and"
                f" {limits.LONG_STRING_BYTES_MAX}"
            )
        for origin in self.cors_origins:
            read_origin(origin)
        if self.named_partitions < 0:
            raise ValueError("named_partitions must be 0 or more")
        if self.connections_max < 0 or self.connections_per_address_max < 0:
            raise ValueError("connections_max and connections_per_address_max must be 0 or more")
        if not 0.5 <= self.ack_timeout_s <= 60:
            raise ValueError("ack_timeout_s must be between 0.5 and 60")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert and tls_key must be given together")
