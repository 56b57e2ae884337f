"""The site of a cluster's servers: their folders, their ports, and the keeper that ends them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from compose.processes.host import Host
from compose.processes.ports import Ports
from compose.processes.process import Keeper, Process, StartFailed

START_TRIES = 4  # each with new ports, when others have taken the ones that were chosen
STOP_S = 20.0


@dataclass(frozen=True, slots=True)
class Site:
    """A cluster's folder on this machine.

    link: puts a proxy of a name in front of a port and returns its port; 0 without a proxy.
    """

    folder: Path
    host: Host
    ports: Ports
    keeper: Keeper
    link: Callable[[str, int], int]

    def data_folder(self, name: str) -> Path:
        """The data folder of a server or role."""
        path = self.folder / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def process(self, name: str) -> Process:
        """A process whose output goes to `logs/NAME.log`."""
        return Process(name, self.folder / "logs" / f"{name}.log", self.keeper)

    def start_with_free_ports(self, prefix: str, start: Callable[[], None]) -> None:
        """Start; when it fails because ports were taken meanwhile, again with others."""
        for attempt in range(1, START_TRIES + 1):
            try:
                start()
            except StartFailed:
                if attempt == START_TRIES or not self.ports.renew(prefix):
                    raise
            else:
                return
