"""Where the parts of a role process are put together: backends, context, and the role itself.

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
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bellwether.backends import open_backends
from bellwether.config import BackendsConfig, LocksKind, NodeConfig
from bellwether.room import watch_room
from bellwether.rooms import Serve, load_role
from bellwether.secrets import read_internal_token
from bellwether.settings import SECTIONS, Settings, SettingsError
from common import limits
from common.alarms import AlarmBoard, AlarmsConfig
from common.alarms.poster import AlarmPoster
from common.clock import SystemClock
from common.errors import BellwetherError
from common.http.descriptors import raise_open_files
from common.logs import configure_logs, log_loop_errors, mask_in_logs, say
from common.role import RoleContext
from common.telemetry import NoTelemetry, Telemetry, TelemetryQueue, TelemetrySender

_LOG = logging.getLogger(__name__)
_EXIT_STUCK = 70  # a role that did not finish in time; sysexits' EX_SOFTWARE


async def run_role(role: str, settings: Settings, parent_fd: int | None) -> None:
    """Run one role until it is told to stop. Raises what the role raises."""
    node = settings.section(NodeConfig)
    instance = _instance(role, node)
    configure_logs(role, instance, node.log_level.upper(), settings.secrets())
    log_loop_errors(asyncio.get_running_loop())
    stop = asyncio.Event()
    _stop_on_signals(stop)
    if parent_fd is not None:
        _stop_on_parent_death(parent_fd, stop)
    bound = asyncio.create_task(_bound_stop(stop, node.stop_timeout_s))
    # threads that wait for a server which does not answer must not be all there are (I8)
    threads = ThreadPoolExecutor(limits.ROLE_THREADS_MAX, thread_name_prefix="role")
    asyncio.get_running_loop().set_default_executor(threads)
    clock = SystemClock()
    token = internal_token(settings)
    mask_in_logs(token)
    backends = await asyncio.to_thread(open_backends, settings, clock)
    folder = node.data / "roles" / _place(role, node)
    folder.mkdir(parents=True, exist_ok=True)
    telemetry: Telemetry = NoTelemetry()
    sender: asyncio.Task[None] | None = None
    if node.telemetry:
        queue = TelemetryQueue(clock, role=role, instance=instance, zone=node.zone)
        telemetry = queue
        if role != "shepherd":  # which writes its own to the log
            sender = asyncio.create_task(TelemetrySender(queue, backends.locks, token).run())
    alarms = AlarmBoard(clock)
    posting: asyncio.Task[None] | None = None
    if (told := settings.section(AlarmsConfig)).url:
        poster = AlarmPoster(alarms, told, clock, folder, (role, instance, node.zone))
        posting = asyncio.create_task(poster.run())
    room = asyncio.create_task(watch_room(settings, alarms))
    context = RoleContext(
        role=role,
        instance=instance,
        zone=node.zone,
        host=node.internal_host,
        port=node.internal_port,
        folder=folder,
        backends=backends,
        clock=clock,
        random=random.Random(),
        telemetry=telemetry,
        stop=stop,
        internal_token=token,
        slot=node.slot,
        advertise_host=node.advertised_host,
        datasets_max=node.datasets_max,
        alarms=alarms,
    )
    await backends.log.open()
    serve: Serve = load_role(role)
    config: Any = settings.section(SECTIONS[role])
    say(_LOG, logging.INFO, "role starts", pid=os.getpid(), host=socket.gethostname())
    try:
        await serve(context, config)
    finally:
        bound.cancel()  # its timer, if it runs, goes on
        beside = [task for task in (sender, posting, room) if task is not None]
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await backends.log.close()
        await asyncio.to_thread(backends.locks.close)
        await asyncio.to_thread(backends.metadata.close)
    say(_LOG, logging.INFO, "role stopped")


def _place(role: str, node: NodeConfig) -> str:
    """Role, zone and slot as one word; processes of one machine differ in it."""
    return f"{role}-{node.zone}" if node.slot == "0" else f"{role}-{node.zone}-{node.slot}"


def _instance(role: str, node: NodeConfig) -> str:
    """A name that no other process has: containers on several machines share process ids."""
    host = "".join(c if c.isalnum() and c.isascii() else "-" for c in socket.gethostname())[:60]
    return f"{_place(role, node)}-{host}-{os.getpid()}"


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


def run_role_process(role: str, settings: Settings, parent_fd: int | None) -> int:
    """Run a role as this process; returns its exit code."""
    os.umask(0o077)  # what clients send is nobody else's to read
    raise_open_files()
    try:
        _run(role, settings, parent_fd)
    except (BellwetherError, SettingsError) as error:
        say(_LOG, logging.ERROR, "role failed", error=str(error), kind=type(error).__name__)
        return 1
    except Exception:  # noqa: BLE001 - a role's outermost loop: `up` shows it and starts it again
        _LOG.exception("role failed")
        return 1
    return 0


def _run(role: str, settings: Settings, parent_fd: int | None) -> None:
    try:
        import uvloop
    except ImportError:  # not made for this platform
        asyncio.run(run_role(role, settings, parent_fd))
    else:
        uvloop.run(run_role(role, settings, parent_fd))


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    asked: list[signal.Signals] = []

    def ask(number: signal.Signals) -> None:
        if asked:
            os._exit(128 + number)
        asked.append(number)
        _begin_stop(stop, number.name)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask, number)


def _stop_on_parent_death(fd: int, stop: asyncio.Event) -> None:
    """Stop when the pipe whose other end the supervisor holds reaches its end."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(fd)
        if not stop.is_set():
            _begin_stop(stop, "the supervisor is gone")

    loop.add_reader(fd, ended)


def _begin_stop(stop: asyncio.Event, reason: str) -> None:
    say(_LOG, logging.INFO, "role stops", reason=reason)
    stop.set()


async def _bound_stop(stop: asyncio.Event, timeout_s: float) -> None:
    """From the stop on, however it was asked for, the role has this long to finish."""
    await stop.wait()
    # a thread of its own: it fires even when the event loop is stuck
    guard = threading.Timer(timeout_s, os._exit, (_EXIT_STUCK,))
    guard.daemon = True
    guard.start()
