"""`bellwether up`: every role on one machine, started, watched and stopped by one supervisor.

Keeps: one supervisor per data folder (lock `up`); roles never outlive it (they watch a pipe whose
other end it holds); a crashed role starts again with back-off; stopping goes front to back, so
that what was acknowledged is finished before its readers stop.
"""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import msgspec

from bellwether.backends import reserve_of
from bellwether.config.role_registry import ALL_ROLES, STOP_ORDER
from bellwether.config.secrets import read_internal_token
from bellwether.config.sections import BackendsConfig, NodeConfig, UpConfig
from bellwether.config.settings import Settings
from bellwether.supervisor.addresses import (
    EXIT_BAD_START,
    EXIT_HELD,
    CannotStart,
    check_grpc,
    check_tls,
    choose_port,
    grpc_address,
    public_url,
)
from bellwether.supervisor.child import Child, ask_ready, child_environment, describe_exit
from bellwether.supervisor.console import UpConsole
from bellwether.supervisor.disk_reserve import ReserveMaintenance
from bellwether.supervisor.first_start import (
    FirstStartError,
    Prepared,
    make_login_code,
    prepare,
)
from bellwether.supervisor.grpc_port import choose_grpc_port
from bellwether.supervisor.shutdown_check import doubts_of_indexers, doubts_of_log
from common.clock import Clock
from common.errors import BellwetherError, Unavailable
from common.locks import Claim, Locks
from common.locks.files import FileLocks
from common.metadata.sqlite import SqliteMetadata
from common.process.alarms.config import AlarmsConfig
from common.process.http.descriptors import raise_open_files
from common.process.members import Member, encode_member, list_members
from common.version import VERSION
from query.config import QueryConfig
from shepherd.config import ShepherdConfig

_TICK_S = 0.05
_READY_TRY_S = 0.1
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_TWIN_ZONES = ("a", "b")


class Supervisor:
    """Runs the roles until a signal stops it."""

    def __init__(
        self, settings: Settings, environ: Mapping[str, str], clock: Clock, console: UpConsole
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._console = console
        self._node = settings.section(NodeConfig)
        self._up = settings.section(UpConfig)
        self._public = settings.section(ShepherdConfig)
        self._data = self._node.data.resolve()
        self._reserve = ReserveMaintenance(reserve_of(settings), self._data, console)
        self._signals = 0
        self._children: list[Child] = []

    def run(self) -> int:
        """Start everything, watch, stop; returns the exit code. Raises CannotStart."""
        if not self._settings.section(BackendsConfig).embedded:
            raise CannotStart(
                "`up` runs one machine with everything in its data folder, but [backends] names "
                "servers. Start the roles of a cluster one by one (docs/cluster.md).",
                EXIT_BAD_START,
            )
        raise_open_files()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        begin_s = self._now_s()
        self._reserve.before_start()
        locks = self._open_locks()
        try:
            member = self._member()
            try:
                claim = locks.acquire("up", encode_member(member))
            except Unavailable as error:
                raise self._bad_data(error) from error
            if claim is None:
                raise CannotStart(_held_by(locks, self._data), EXIT_HELD)
            check_tls(self._public)
            port = choose_port(self._public.host, self._public.port)
            url = public_url(self._public, port)
            check_grpc(grpc := choose_grpc_port(self._settings))
            try:
                claim.update(encode_member(msgspec.structs.replace(member, url=url)))
            except Unavailable as error:
                raise self._bad_data(error) from error
            self._reserve.before_roles()
            prepared = self._prepare()
            self._console.welcome(
                url,
                self._data,
                prepared,
                grpc_address(self._public, grpc.port),
                page=self._shows_page,
            )
            if grpc.trouble:
                self._console.warn_grpc(grpc.trouble)
            if self._public.host not in _LOOPBACK:
                self._console.warn_public(self._public.host, tls=bool(self._public.tls_cert))
            return self._supervise(locks, claim, (port, grpc.port), begin_s)
        finally:
            locks.close()

    def _open_locks(self) -> Locks:
        try:
            for name in ("locks", "logs"):
                (self._data / name).mkdir(parents=True, exist_ok=True)
            return FileLocks(self._data / "locks")
        except (OSError, Unavailable) as error:
            raise self._bad_data(error) from error

    def _bad_data(self, error: Exception) -> CannotStart:
        why = reserve_of(self._settings).trouble() if self._data.is_dir() else None
        also = f" ({why})" if why else ""
        return CannotStart(
            f"cannot use the data folder {self._data}: {error}{also}. Choose another one with "
            "--data, or free space, or change its owner or permissions.",
            EXIT_BAD_START,
        )

    def _member(self) -> Member:
        return Member(
            role="up",
            instance=f"up-{os.getpid()}",
            url="",
            zone=self._node.zone,
            pid=os.getpid(),
            started_ns=self._clock.now_ns(),
            version=VERSION,
        )

    def _prepare(self) -> Prepared:
        metadata = SqliteMetadata(self._data / "metadata.db")
        try:
            metadata.open()
            try:
                read_internal_token(self._data)  # made before any role asks for it
                now_ns = self._clock.now_ns()
                prepared = prepare(self._data, self._up, metadata, now_ns)
                if self._shows_page and self._public.host in _LOOPBACK:
                    code = make_login_code(metadata, prepared.key_hash, now_ns)
                    prepared = replace(prepared, login_code=code)
                return prepared
            finally:
                metadata.close()
        except FirstStartError as error:
            raise CannotStart(str(error), EXIT_BAD_START) from error
        except (OSError, BellwetherError) as error:
            raise self._bad_data(error) from error

    @property
    def _shows_page(self) -> bool:
        return self._settings.section(QueryConfig).page

    def _supervise(self, locks: Locks, claim: Claim, ports: tuple[int, int], begin_s: float) -> int:
        roles_fd, own_fd = os.pipe()  # own_fd closes when this process ends, however it ends
        try:
            self._children = self._plan_children(*ports)
            for child in self._children:
                child.start(self._now_s(), roles_fd)
            self._console.starting([child.label for child in self._children])
            announced = False
            next_try_s = 0.0
            while not self._signals:
                now_s = self._now_s()
                self._watch(roles_fd)
                self._reserve.check(now_s)
                if now_s >= next_try_s and any(not c.ready for c in self._children):
                    self._check_ready(locks)
                    next_try_s = now_s + _READY_TRY_S
                if not announced and all(c.ready for c in self._children):
                    announced = True
                    self._console.ready(self._now_s() - begin_s)
                time.sleep(_TICK_S)
            return self._stop_all(locks)
        finally:
            for child in self._children:
                child.kill()
            os.close(own_fd)
            os.close(roles_fd)
            claim.release()

    def _plan_children(self, port: int, grpc_port: int) -> list[Child]:
        zones = _TWIN_ZONES if self._up.twins else (self._node.zone,)
        commands = [("shepherd", zones[0]), *(("indexer", z) for z in zones), ("query", zones[0])]
        if self._up.small:
            commands = [(ALL_ROLES, zones[0])]
        settings = self._settings.as_environment()
        children = []
        for command, zone in commands:
            label = f"{command} {zone}" if len(zones) > 1 and command == "indexer" else command
            own = {
                "BELLWETHER_NODE_DATA": str(self._data),
                "BELLWETHER_NODE_ZONE": zone,
                "BELLWETHER_SHEPHERD_PORT": str(port),
                "BELLWETHER_SHEPHERD_OTLP_GRPC_PORT": str(grpc_port),
                "BELLWETHER_INDEXER_COPIES": str(len(zones)),
                # compiled once for all processes of a role
                "BELLWETHER_INDEXER_KERNEL_CACHE": settings.get("BELLWETHER_INDEXER_KERNEL_CACHE")
                or str(self._data / "kernel"),
                "BELLWETHER_SHEPHERD_KERNEL_CACHE": settings.get("BELLWETHER_SHEPHERD_KERNEL_CACHE")
                or str(self._data / "kernel"),
                # a secret, which `as_environment` leaves out
                "BELLWETHER_ALARMS_URL": self._settings.section(AlarmsConfig).url,
                # the first key can query the events about Bellwether itself
                "BELLWETHER_SHEPHERD_OWN_TEAM": self._up.team,
                "BELLWETHER_SHEPHERD_OWN_ENVIRONMENT": self._up.environment,
            }
            environment = child_environment(self._environ, settings, own)
            log_path = self._data / "logs" / f"{label.replace(' ', '-')}.log"
            roles = STOP_ORDER if command == ALL_ROLES else (command,)
            children.append(Child(command, roles, label, log_path, environment))
        return children

    def _watch(self, roles_fd: int) -> None:
        """Start again what has ended."""
        now_s = self._now_s()
        for child in self._children:
            if child.process is None:
                if now_s >= child.start_again_s:
                    child.start(now_s, roles_fd)
                continue
            code = child.poll()
            if code is not None:
                last = child.log.last_lines() if child.log else []
                wait_s = child.ended(now_s)
                self._console.crashed(
                    child.label, describe_exit(code), wait_s, child.log_path, last
                )

    def _check_ready(self, locks: Locks) -> None:
        for child in self._children:
            if child.ready or child.process is None:
                continue
            pid = child.process.pid
            try:
                members = [m for role in child.roles for m in list_members(locks, role)]
            except Unavailable:
                return  # tried again at the next tick
            urls = {member.role: member.url for member in members if member.pid == pid}
            if all(role in urls and ask_ready(urls[role]) is None for role in child.roles):
                child.ready = True
                if child.starts > 1:
                    self._console.running_again(child.label)

    def _stop_all(self, locks: Locks) -> int:
        """Stop the roles in order; a second signal ends them at once."""
        clean = True
        doubts = [
            f"{child.label} was not running at the end: see {child.log_path}"
            for child in self._children
            if child.process is None or child.poll() is not None
        ]
        doubts += self._doubts_while_running(locks)
        for role in STOP_ORDER:
            # a process with several roles stops them in this same order by itself
            group = [c for c in self._children if c.roles[0] == role and c.process is not None]
            roles = max((len(child.roles) for child in group), default=0)
            for child in group:
                self._console.stopping(child.label)
                child.ask_to_stop()
            deadline_s = self._now_s() + self._node.stop_timeout_s * roles + 1.0
            while any(c.poll() is None for c in group):
                if self._signals > 1 or self._now_s() > deadline_s:
                    clean = False
                    for child in group:
                        child.kill()
                time.sleep(_TICK_S)
            clean = clean and all(c.poll() in _clean_codes(c) for c in group)
        log_doubts = doubts_of_log(self._data / "log")
        self._console.stopped(clean, [*doubts, *log_doubts])
        return 0 if clean and not log_doubts else 1

    def _doubts_while_running(self, locks: Locks) -> list[str]:
        if not all(child.ready for child in self._children if "indexer" in child.roles):
            return ["the indexers were not ready: they could not say what they lack"]
        try:
            return doubts_of_indexers(locks, read_internal_token(self._data))
        except OSError as error:
            return [f"the indexers could not be asked: {error}"]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9


def _clean_codes(child: Child) -> tuple[int, ...]:
    """A role that was still starting ends by the signal itself: it had nothing in flight."""
    return (0,) if child.ready else (0, -signal.SIGTERM)


def _held_by(locks: Locks, data: Path) -> str:
    value = locks.holders("up").get("up")
    if value is None:
        return f"another `bellwether up` is just starting or stopping on {data}: try again"
    holder = msgspec.json.decode(value, type=Member)
    since = datetime.fromtimestamp(holder.started_ns / 1e9, UTC).isoformat(timespec="seconds")
    address = f", address {holder.url}" if holder.url else ""
    return (
        f"{data} is in use by another `bellwether up`: pid {holder.pid}, since {since}{address}. "
        "Stop it with Ctrl-C there, or choose another folder with --data."
    )
