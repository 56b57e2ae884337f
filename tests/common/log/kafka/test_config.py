"""Settings of the Kafka log are checked before use, and their repr hides secrets."""

from typing import Any

import pytest

from common.errors import LogUnavailable
from common.log.kafka.config import KafkaConfig
from common.log.kafka.connect import Connector


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"servers": "localhost"}, "host:port"),
        ({"servers": " , "}, "at least one"),
        ({"servers": "a:99999"}, "host:port"),
        ({"topic": "with space"}, "topic"),
        ({"partitions": 0}, "partitions"),
        ({"min_insync": 4}, "min_insync"),
        ({"retention_hours": 0}, "retention_hours"),
        ({"timeout_ms": 10}, "timeout_ms"),
        ({"total_bytes_max": 1}, "partition_bytes_max"),
        ({"security": "tls"}, "security"),
        ({"security": "sasl_ssl"}, "sasl_username"),
        (
            {"security": "sasl_ssl", "sasl_username": "u", "sasl_password": "p",
             "sasl_mechanism": "GSSAPI"},
            "sasl_mechanism",
        ),
        ({"cert": "a.pem"}, "belong together"),
    ],
)  # fmt: skip
def test_what_cannot_work_is_named(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        KafkaConfig(**settings)


def test_servers_are_read_with_ipv6_and_spaces() -> None:
    config = KafkaConfig(servers="a:1, [::1]:2,")
    assert config.addresses() == (("a", 1), ("::1", 2))


def test_password_is_in_no_repr() -> None:
    config = KafkaConfig(security="sasl_ssl", sasl_username="u", sasl_password="hush")
    assert "hush" not in repr(config)


def test_certificate_that_cannot_be_read_is_named(tmp_path: Any) -> None:
    with pytest.raises(LogUnavailable, match=r"kafka\.ca"):
        Connector(KafkaConfig(security="ssl", ca=str(tmp_path / "none.pem")))
