"""Connects to brokers: TLS, authentication, and one time-out for all steps."""

import asyncio
from ssl import SSLContext

from common import limits
from common.errors import LogUnavailable
from common.log.kafka.config import KafkaConfig
from common.log.kafka.wire.aiokafka_parts import AIOKafkaConnection, KafkaError, create_ssl_context
from common.version import VERSION

_ANSWER_SLACK_MS = 1_000  # callers have shorter time-outs of their own


class Connector:
    """Connects as configured. The constructor reads the certificates."""

    def __init__(self, config: KafkaConfig) -> None:
        self._config = config
        self._tls = _tls(config)

    async def connect(self, host: str, port: int, timeout_s: float) -> AIOKafkaConnection:
        """A connection on which the broker has answered. Raises ConnectionError with the reason."""
        config = self._config
        connection = AIOKafkaConnection(
            host,
            port,
            client_id=f"bellwether-{VERSION}",
            request_timeout_ms=config.timeout_ms + limits.KAFKA_FETCH_WAIT_MS + _ANSWER_SLACK_MS,
            ssl_context=self._tls,
            security_protocol=config.security.upper(),
            sasl_mechanism=config.sasl_mechanism,
            sasl_plain_username=config.sasl_username,
            sasl_plain_password=config.sasl_password,
        )
        try:
            async with asyncio.timeout(timeout_s):
                await connection.connect()
        except TimeoutError as error:
            connection.close()
            raise ConnectionError(f"{host}:{port} does not answer") from error
        except (OSError, KafkaError, ValueError, AssertionError) as error:
            connection.close()
            raise ConnectionError(f"{host}:{port}: {str(error) or type(error).__name__}") from error
        except asyncio.CancelledError:
            connection.close()
            raise
        return connection


def _tls(config: KafkaConfig) -> SSLContext | None:
    if not config.security.endswith("ssl"):
        return None
    try:
        return create_ssl_context(
            cafile=config.ca or None, certfile=config.cert or None, keyfile=config.key or None
        )
    except (OSError, ValueError) as error:
        raise LogUnavailable(
            f"kafka.ca, kafka.cert or kafka.key cannot be used: {error}; name PEM files"
        ) from error
