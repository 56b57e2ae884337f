"""Creates the database and its tables, for `bellwether init`."""

from dataclasses import dataclass

from common.metadata.mysql import schema
from common.metadata.mysql.config import MysqlConfig
from common.metadata.mysql.pool import connect, translate_errors

_STEP_S = 120.0


@dataclass(frozen=True, slots=True)
class Created:
    """What was created.

    database: there was no database before.
    steps: the number of migrations that were applied.
    """

    database: bool
    steps: int


def create_database(config: MysqlConfig) -> Created:
    """Create the database if it does not exist and migrate its schema. Idempotent.

    Raises MetadataUnavailable. Needs a user that may create databases only if there is none yet.
    """
    with translate_errors(config):
        server = connect(config, None)
        try:
            with server.cursor() as cursor:
                cursor.execute("SHOW DATABASES LIKE %s", (config.database.replace("_", r"\_"),))
                missing = cursor.fetchone() is None
                if missing:
                    # MysqlConfig allows only letters, digits and '_' in the name
                    cursor.execute(
                        f"CREATE DATABASE IF NOT EXISTS `{config.database}`"
                        " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"
                    )
        finally:
            server.close()
        db = connect(config, config.database, _STEP_S)
        try:
            with db.cursor() as cursor:
                steps = 0 if schema.is_current(cursor) else schema.migrate(cursor)
        finally:
            db.close()
    return Created(missing, steps)
