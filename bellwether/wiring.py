"""Where the parts of a role process are put together: backends, context, and the roles themselves.

A process runs one role, or (`up --small`) all of them, which then share its memory.

A role process stops on SIGTERM or SIGINT (a second signal ends it at once), and when the pipe from
its supervisor ends, so that it never outlives `up` even if that was killed.
"""

import asyncio
import logging
import os
import random
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from bellwether.backends import open_backends
from bellwether.config.role_registry import ALL_ROLES, STOP_ORDER, Serve, load_role
from bellwether.config.secrets import read_internal_token
from bellwether.config.sections import BackendsConfig, LocksKind, NodeConfig, UpConfig
from bellwether.config.settings import SECTIONS, Settings, SettingsError
from bellwether.supervisor.disk_reserve import watch_disk_space
from common import limits
from common.clock import Clock, SystemClock
from common.errors import BellwetherError
from common.logs import configure_logs, log_as, log_event, log_loop_errors, mask_in_logs
from common.process.alarms.board import AlarmBoard
from common.process.alarms.config import AlarmsConfig
from common.process.alarms.poster import AlarmPoster
from common.process.http.descriptors import raise_open_files
from common.process.machine.memory import KEPT, KEPT_SMALL, GivingBack, keep_freed_pages
from common.process.role import Backends, RoleContext
from common.process.telemetry import NoTelemetry, Telemetry, TelemetryQueue, TelemetrySender
from common.struct_types import prepare_structs
from common.tasks import cancel_and_wait, run_together, running

_LOG = logging.getLogger(__name__)
_EXIT_STUCK = 70  # a role that did not finish in time; sysexits' EX_SOFTWARE


@dataclass(frozen=True, slots=True)
class _Process:
    """What the roles of one process share."""

    settings: Settings
    node: NodeConfig
    clock: Clock
    backends: Backends
    token: str
    giving_back: GivingBack


async def run_roles(roles: Sequence[str], settings: Settings, parent_fd: int | None) -> None:
    """Run these roles in this process until a signal stops it. Raises what a role raises.

    Several roles share one log, one set of locks, and so on. If one of them ends, the others are
    stopped in order too and the process ends: its supervisor starts all of them again.
    """
    node = settings.section(NodeConfig)
    name = roles[0] if len(roles) == 1 else ALL_ROLES
    configure_logs(name, _instance(name, node), node.log_level.upper(), settings.secrets())
    log_loop_errors(asyncio.get_running_loop())
    stop = asyncio.Event()
    _stop_on_signals(stop)
    if parent_fd is not None:
        _stop_on_parent_death(parent_fd, stop)
    # more threads than can wait at once for a server that does not answer (I8)
    threads = ThreadPoolExecutor(limits.ROLE_THREADS_MAX, thread_name_prefix="role")
    asyncio.get_running_loop().set_default_executor(threads)
    clock = SystemClock()
    # its timer, once started, outlives this block
    async with running(_bound_stop(stop, node.stop_timeout_s * len(roles))):
        token = internal_token(settings)
        mask_in_logs(token)
        for role in roles:
            load_role(role)
        prepare_structs()  # of all modules, before the first thread decodes
        backends = await asyncio.to_thread(open_backends, settings, clock)
        giving_back = GivingBack()
        process = _Process(settings, node, clock, backends, token, giving_back)
        try:
            await backends.log.open()
            async with running(run_together(giving_back.run())):
                await serve_in_order(roles, lambda role, stop: _run_role(role, process, stop), stop)
        finally:
            await backends.log.close()
            await asyncio.to_thread(backends.locks.close)
            await asyncio.to_thread(backends.metadata.close)


async def serve_in_order(
    roles: Sequence[str],
    serve: Callable[[str, asyncio.Event], Coroutine[None, None, None]],
    stop: asyncio.Event,
) -> None:
    """Serve all roles until `stop` is set or one of them ends, then stop them front to back.

    Each role is stopped only when those before it in STOP_ORDER have finished what is in flight.
    Raises what the first role raised that failed.
    """
    stops = {role: asyncio.Event() for role in sorted(roles, key=STOP_ORDER.index)}
    tasks = {role: asyncio.create_task(serve(role, stops[role])) for role in stops}
    stop_wait = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({stop_wait, *tasks.values()}, return_when=asyncio.FIRST_COMPLETED)
        stop.set()  # from here on the time for stopping is bounded
        ended = [task for task in tasks.values() if task.done()]
        for role, task in tasks.items():
            stops[role].set()
            await asyncio.wait({task})
        for task in (*ended, *tasks.values()):
            task.result()
    finally:
        await cancel_and_wait([stop_wait, *tasks.values()])


async def _run_role(role: str, process: _Process, stop: asyncio.Event) -> None:
    """Run one role of this process until its own `stop` is set. Raises what the role raises."""
    node, clock, settings = process.node, process.clock, process.settings
    instance = _instance(role, node)
    log_as(role, instance)
    folder = node.data / "roles" / _role_slot(role, node)
    folder.mkdir(parents=True, exist_ok=True)
    telemetry: Telemetry = NoTelemetry()
    alarms = AlarmBoard(clock)
    beside: list[Coroutine[Any, Any, object]] = [watch_disk_space(settings, alarms)]
    if node.telemetry:
        queue = TelemetryQueue(clock, role=role, instance=instance, zone=node.zone)
        telemetry = queue
        if role != "shepherd":  # which writes its own to the log
            locks, token = process.backends.locks, process.token
            beside.append(TelemetrySender(queue, locks, token).run())
    if (alarms_config := settings.section(AlarmsConfig)).url:
        poster = AlarmPoster(alarms, alarms_config, clock, folder, (role, instance, node.zone))
        beside.append(poster.run())
    context = RoleContext(
        role=role,
        instance=instance,
        zone=node.zone,
        host=node.internal_host,
        port=node.internal_port,
        folder=folder,
        backends=process.backends,
        clock=clock,
        random=random.Random(),
        telemetry=telemetry,
        stop=stop,
        internal_token=process.token,
        slot=node.slot,
        advertise_host=node.advertised_host,
        datasets_max=node.datasets_max,
        giving_back=process.giving_back,
        alarms=alarms,
    )
    serve: Serve = load_role(role)
    config: Any = settings.section(SECTIONS[role])
    log_event(_LOG, logging.INFO, "role starts", pid=os.getpid(), host=socket.gethostname())
    async with running(run_together(*beside)):
        await serve(context, config)
    log_event(_LOG, logging.INFO, "role stopped")


def _role_slot(role: str, node: NodeConfig) -> str:
    """Role, zone and slot as one word, which differs between the processes of one machine."""
    return f"{role}-{node.zone}" if node.slot == "0" else f"{role}-{node.zone}-{node.slot}"


def _instance(role: str, node: NodeConfig) -> str:
    """A name that no other process has: containers on several machines share process ids."""
    host = "".join(c if c.isalnum() and c.isascii() else "-" for c in socket.gethostname())[:60]
    return f"{_role_slot(role, node)}-{host}-{os.getpid()}"


def internal_token(settings: Settings) -> str:
    """The token between roles: the setting, or on one machine the data folder's."""
    node = settings.section(NodeConfig)
    if node.internal_token:
        return node.internal_token
    if settings.section(BackendsConfig).locks is not LocksKind.FILES:
        raise SettingsError(
            "[node] internal_token is not set: roles of a cluster share one. Make it once "
            "(openssl rand -hex 32) and give every role BELLWETHER_NODE_INTERNAL_TOKEN, or "
            "name a file that holds it in BELLWETHER_NODE_INTERNAL_TOKEN_FILE"
        )
    return read_internal_token(node.data)


def run_role_process(roles: Sequence[str], settings: Settings, parent_fd: int | None) -> int:
    """Run one or several roles as this process; returns its exit code."""
    os.umask(0o077)  # what clients send is nobody else's to read
    raise_open_files()
    if set(roles) != {"shepherd"}:  # which does nothing with Arrow and need not load it
        keep_freed_pages(KEPT_SMALL if settings.section(UpConfig).small else KEPT)
    try:
        _run(roles, settings, parent_fd)
    except (BellwetherError, SettingsError) as error:
        log_event(_LOG, logging.ERROR, "role failed", error=str(error), kind=type(error).__name__)
        return 1
    except Exception:  # noqa: BLE001 - a role's outermost loop: `up` shows it and starts it again
        _LOG.exception("role failed")
        return 1
    return 0


def _run(roles: Sequence[str], settings: Settings, parent_fd: int | None) -> None:
    try:
        import uvloop
    except ImportError:  # not made for this platform
        asyncio.run(run_roles(roles, settings, parent_fd))
    else:
        uvloop.run(run_roles(roles, settings, parent_fd))


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    received: list[signal.Signals] = []

    def on_signal(number: signal.Signals) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
        _begin_stop(stop, number.name)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal, number)


def _stop_on_parent_death(fd: int, stop: asyncio.Event) -> None:
    """Stop when the pipe whose other end the supervisor holds reaches its end."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(fd)
        if not stop.is_set():
            _begin_stop(stop, "the supervisor is gone")

    loop.add_reader(fd, ended)


def _begin_stop(stop: asyncio.Event, reason: str) -> None:
    log_event(_LOG, logging.INFO, "role stops", reason=reason)
    stop.set()


async def _bound_stop(stop: asyncio.Event, timeout_s: float) -> None:
    """From the stop on, whatever caused it, the role has this long to finish."""
    await stop.wait()
    # a thread of its own: it fires even when the event loop is stuck
    guard = threading.Timer(timeout_s, os._exit, (_EXIT_STUCK,))
    guard.daemon = True
    guard.start()
