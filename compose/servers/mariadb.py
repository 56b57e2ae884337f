"""MariaDB: one server with a data folder of its own and an account for Bellwether."""

import getpass
import secrets
from pathlib import Path

import pymysql

from compose.processes.ports import LOOPBACK, answers
from compose.processes.process import Process, StartFailed
from compose.servers.base import STOP_S, Site
from compose.servers.secret_files import kept_secret, write_secret
from compose.topology import DATABASE, MariadbTuning, Topology

READY_S = 300.0
USER = "bellwether"


def server_settings(tuning: MariadbTuning) -> dict[str, str]:
    """Options of the server apart from folders and addresses."""
    return {
        "skip-name-resolve": "1",
        "innodb-buffer-pool-size": f"{tuning.buffer_mb}M",
        "innodb-log-file-size": "32M",
        "innodb-flush-log-at-trx-commit": "1",
        "performance-schema": "OFF",
        "max-connections": str(tuning.connections_max),
        "character-set-server": "utf8mb4",
    }


class Mariadb:
    """The server. Clients use `host` and `port`, which are the proxy's if there is one."""

    def __init__(self, site: Site, topology: Topology) -> None:
        self.name = "mariadb"
        self.process: Process = site.process(self.name)
        self.host = LOOPBACK
        self.user = USER
        self.database = DATABASE
        self.proxied_port = 0
        self._site = site
        self._tuning = topology.mariadb

    @property
    def folder(self) -> Path:
        """Everything it keeps."""
        return self._site.data_folder(self.name)

    @property
    def own_port(self) -> int:
        """Where the server itself listens."""
        return self._site.ports.get("mariadb.client")

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.proxied_port or self.own_port

    @property
    def password(self) -> str:
        """Password of Bellwether's account; made at first use, in a file only its owner reads."""
        return kept_secret(self.folder / "password", lambda: secrets.token_hex(16))

    def start(self) -> None:
        """Start and wait until Bellwether's account can log in."""
        self._create()
        self._site.start_with_free_ports("mariadb.", self._start)

    def _create(self) -> None:
        """Create the data folder, complete or not at all."""
        data, draft = self.folder / "data", self.folder / "data.new"
        if data.exists():
            return
        host = self._site.host
        creation = self._site.process("mariadb-create")
        user = getpass.getuser()
        command = [
            host.find("mariadb-install-db") or "mariadb-install-db", "--no-defaults",
            f"--datadir={draft}", f"--user={user}", "--skip-test-db",
            "--auth-root-authentication-method=socket", f"--auth-root-socket-user={user}",
        ]  # fmt: skip
        creation.start(command, host.server_environment(), self.folder)
        creation.wait_ready(lambda: creation.exit_code is not None, READY_S)
        if creation.exit_code != 0:
            raise StartFailed(f"mariadb-install-db failed:\n{creation.log_tail()}")
        draft.rename(data)

    def _start(self) -> None:
        self.kill()
        host = self._site.host
        first = self.folder / "accounts.sql"
        write_secret(first, self._accounts())
        command = [
            host.find("mariadbd") or "mariadbd", "--no-defaults", f"--user={getpass.getuser()}",
            f"--datadir={self.folder / 'data'}", "--socket=s.sock",
            f"--pid-file={self.folder / 'pid'}", f"--bind-address={LOOPBACK}",
            f"--port={self.own_port}", f"--init-file={first}",
            *(f"--{name}={value}" for name, value in server_settings(self._tuning).items()),
        ]  # fmt: skip
        self.process.start(command, host.server_environment(), self.folder)
        self.process.wait_ready(self._can_log_in, READY_S)
        self.proxied_port = self._site.link(self.name, self.own_port)

    def _accounts(self) -> str:
        """SQL of the account, which may create databases with its prefix: each test uses one."""
        return (
            f"CREATE DATABASE IF NOT EXISTS {DATABASE};\n"
            f"CREATE USER IF NOT EXISTS '{USER}'@'%' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL PRIVILEGES ON `{DATABASE}%`.* TO '{USER}'@'%';\n"
        )

    def _can_log_in(self) -> bool:
        if not answers(self.own_port):
            return False
        try:
            self.connect(self.database).close()
        except pymysql.err.OperationalError:
            return False
        return True

    def connect(self, database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        """A connection to the server itself, as Bellwether's account."""
        return pymysql.connect(
            host=LOOPBACK, port=self.own_port, user=USER, password=self.password,
            database=database, connect_timeout=5, read_timeout=30, autocommit=True,
        )  # fmt: skip

    def stop(self) -> None:
        self.process.stop(STOP_S)

    def kill(self) -> None:
        self.process.kill()

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()
