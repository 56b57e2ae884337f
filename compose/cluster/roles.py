"""Bellwether's roles as plain processes, each with a disk of its own, started again when they end.

A role that ends, however it ends, is started again after a back-off, as systemd or Docker would:
a rolling restart relies on it. One that was stopped or killed on purpose can be kept down.
"""

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from bellwether.supervisor.child import (
    CALM_S,
    ask_ready,
    child_environment,
    restart_back_off,
)
from compose.processes.ports import LOOPBACK
from compose.processes.process import Process, StartFailed
from compose.servers.base import Site
from compose.topology import STOP_ORDER, RoleInstance, Topology

READY_S = 300.0
STOP_S = 45.0  # longer than a role's own time to drain
_STEP_S = 0.05
_ASK_S = 0.2
_SHOWN_CHARS = 4_000

Event = Callable[[str], None]


class Role:
    """One role process. `url`: its internal address; `public_url`: a shepherd's."""

    def __init__(self, instance: RoleInstance, site: Site) -> None:
        self.instance = instance
        self.name = instance.name
        self.process: Process = site.process(self.name)
        self.wanted = False  # whether the supervisor starts it (again)
        self.starts = 0
        self.extra: dict[str, str] = {}  # settings of this one role
        self._site = site
        self._began_s = 0.0
        self._again_s = 0.0
        self._back_off = restart_back_off()
        self._lock = threading.RLock()

    @property
    def data(self) -> Path:
        """The folder that is the role's own disk."""
        return self._site.folder / "roles" / self.name

    @property
    def internal_port(self) -> int:
        return self._site.ports.get(f"{self.name}.internal")

    @property
    def public_port(self) -> int:
        """The port on which a shepherd serves clients."""
        return self._site.ports.get(f"{self.name}.public")

    @property
    def url(self) -> str:
        """The role's own internal URL; other roles may use the proxy's address instead."""
        return f"http://{LOOPBACK}:{self.internal_port}"

    @property
    def public_url(self) -> str:
        return f"http://{LOOPBACK}:{self.public_port}"

    def settings(self) -> dict[str, str]:
        """The settings of this role alone."""
        own = {
            "BELLWETHER_NODE_DATA": str(self.data),
            "BELLWETHER_NODE_ZONE": self.instance.zone,
            "BELLWETHER_NODE_SLOT": str(self.instance.index),
            "BELLWETHER_NODE_INTERNAL_PORT": str(self.internal_port),
        }
        if self.instance.role == "shepherd":
            own["BELLWETHER_SHEPHERD_PORT"] = str(self.public_port)
        return own | self.extra

    def claim_port(self) -> int:
        """The role's internal port; a new one if another process took it before the first start."""
        if self.starts == 0:
            self._site.ports.renew(f"{self.name}.")
        return self.internal_port

    def start(self, environ: Mapping[str, str], settings: Mapping[str, str]) -> None:
        """Start the process."""
        with self._lock:
            self.data.mkdir(parents=True, exist_ok=True)
            self.wanted = True
            self.claim_port()
            command = [sys.executable, "-m", "bellwether", self.instance.role]
            environment = child_environment(environ, settings, self.settings())
            self.process.start(command, environment, self.data)
            self._began_s = time.monotonic()
            self.starts += 1

    def tend(self, start: Callable[["Role"], None], event: Event) -> None:
        """Restart the process if it has ended and should run."""
        with self._lock:
            if not self.wanted or self.process.alive:
                return
            now_s = time.monotonic()
            if self._again_s == 0.0:
                if now_s - self._began_s > CALM_S:
                    self._back_off.reset()
                wait_s = self._back_off.next()
                self._again_s = now_s + wait_s
                event(
                    f"{self.name} ended with code {self.process.exit_code}; "
                    f"starts again in {wait_s:.1f} s"
                )
            elif now_s >= self._again_s:
                self._again_s = 0.0
                start(self)

    def why_not_ready(self) -> str | None:
        """The reason why the role is not ready; None when it is."""
        if not self.process.alive:
            return "does not run"
        return "is paused" if self.process.paused else ask_ready(self.url)

    def kill(self, *, stay_down: bool = False) -> None:
        """SIGKILL. It comes back by itself unless it shall stay down."""
        with self._lock:
            self.wanted = self.wanted and not stay_down
            self.process.kill()

    def stop(self, *, stay_down: bool = True) -> bool:
        """SIGTERM and wait; True if it ended by itself with code 0."""
        with self._lock:
            self.wanted = self.wanted and not stay_down
        return self.process.stop(STOP_S) and self.process.exit_code in (0, None)

    def pause(self) -> None:
        self.process.pause()

    def resume(self) -> None:
        self.process.resume()

    def wipe(self) -> None:
        """Delete the role's disk. The role must not be running."""
        with self._lock:
            if self.process.alive:
                raise RuntimeError(f"{self.name} runs")
            shutil.rmtree(self.data, ignore_errors=True)


class Roles:
    """Every role of a topology, and the thread that restarts roles that have ended."""

    def __init__(
        self, site: Site, topology: Topology, settings: Callable[[], dict[str, str]]
    ) -> None:
        self._site = site
        self._server_settings = settings
        self._all = {instance: Role(instance, site) for instance in topology.instances()}
        self.settings: dict[str, str] = {}  # of all roles, beyond the servers'
        self.event: Event = lambda text: None
        self._ending = threading.Event()
        self._supervisor: threading.Thread | None = None

    def __iter__(self) -> Iterator[Role]:
        return iter(self._all.values())

    def __getitem__(self, key: tuple[str, str, int] | tuple[str, str]) -> Role:
        return self._all[RoleInstance(*key)]

    def named(self, name: str) -> Role | None:
        """The role of this name, such as `indexer-a`."""
        return next((role for role in self if role.name == name), None)

    def of(self, role: str | None = None, zone: str | None = None) -> list[Role]:
        """The roles of a kind, of a zone, or both."""
        return [
            r for r in self if role in (None, r.instance.role) and zone in (None, r.instance.zone)
        ]

    def environment(self) -> dict[str, str]:
        """The settings that every role has."""
        shared = {
            "BELLWETHER_CONFIG": "",
            # compiled once for all indexers of this machine
            "BELLWETHER_INDEXER_KERNEL_CACHE": str(self._site.folder / "kernel"),
            "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(self._site.folder / "kernel"),
        }
        return {**shared, **self._server_settings(), **self.settings}

    def start(self, roles: Iterable[Role] | None = None) -> None:
        """Start roles (default: all) and supervise them; `wait_ready` waits until they serve."""
        for role in list(roles) if roles is not None else list(self):
            if not role.process.alive:
                self._start(role)
        if self._supervisor is None:
            self._supervisor = threading.Thread(target=self._supervise, daemon=True)
            self._supervisor.start()

    def _start(self, role: Role) -> None:
        role.start(self._site.host.environ, self.environment())

    def _supervise(self) -> None:
        while not self._ending.wait(_STEP_S):
            for role in self:
                role.tend(self._start, self.event)

    def wait_ready(self, roles: Iterable[Role] | None = None, seconds: float = READY_S) -> None:
        """Wait until they are ready. Raises StartFailed with their reasons and logs."""
        deadline_s = time.monotonic() + seconds
        waiting = list(roles) if roles is not None else [r for r in self if r.wanted]
        while waiting:
            reasons = {role.name: role.why_not_ready() for role in waiting}
            waiting = [role for role in waiting if reasons[role.name] is not None]
            if waiting and time.monotonic() > deadline_s:
                lines = [
                    f"{r.name} {reasons[r.name]}:\n{r.process.log_tail()[-_SHOWN_CHARS:]}"
                    for r in waiting
                ]
                raise StartFailed(f"not ready after {seconds:.0f} s: " + "\n".join(lines))
            if waiting:
                time.sleep(_ASK_S)

    def stop_all(self) -> bool:
        """Stop every role in order; True if all ended cleanly."""
        self._ending.set()
        if self._supervisor is not None:
            self._supervisor.join()
        clean = True
        for kind in STOP_ORDER:
            group = [role for role in self.of(kind) if role.process.alive]
            for role in group:
                role.process.ask_to_stop()
            ended = [role.stop() for role in group]
            clean = clean and all(ended)
        return clean
