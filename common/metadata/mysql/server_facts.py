"""The facts about the database server that `bellwether doctor` checks."""

from dataclasses import dataclass
from typing import Any

from common.metadata.mysql import schema
from common.metadata.mysql.config import MysqlConfig
from common.metadata.mysql.pool import connect, translate_errors

_VARIABLES = (
    "innodb_flush_log_at_trx_commit",
    "sync_binlog",
    "log_bin",
    "read_only",
    "max_allowed_packet",
    "max_connections",
)


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """What the server reports.

    server_s: its clock, unix seconds.
    current: the schema is up to date.
    settings: server variables by name.
    """

    version: str
    server_s: float
    tls: bool
    current: bool
    settings: dict[str, str]


def read_facts(config: MysqlConfig) -> DatabaseFacts:
    """Query the server. Raises MetadataUnavailable."""
    with translate_errors(config):
        db = connect(config, config.database)
        try:
            with db.cursor() as cursor:
                current = schema.is_current(cursor)
                cursor.execute("SELECT VERSION(), UNIX_TIMESTAMP(NOW(6))")
                version, server_s = _first(cursor.fetchall())
                cursor.execute("SHOW SESSION STATUS LIKE 'Ssl_cipher'")
                tls = bool(_first(cursor.fetchall())[1])
                names = ", ".join("%s" for _ in _VARIABLES)
                cursor.execute(
                    f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({names})", _VARIABLES
                )
                settings = {str(row[0]): str(row[1]) for row in cursor.fetchall()}
        finally:
            db.close()
    return DatabaseFacts(str(version), float(server_s), tls, current, settings)


def _first(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(rows[0]) if rows else ("", "")
