"""Operators who restart everything while things break: their commands, and when they go on."""

import asyncio
import subprocess
from dataclasses import dataclass, field

from bellwether.commands.operate.rolling_restart import EXIT_HELD, EXIT_STOPPED
from compose.cluster.cluster import Cluster
from tests.cluster.harness import in_thread

EXIT_UNREACHED = 1  # the locks did not answer
RESTART_S = 600.0
_AGAIN_S = 1.0
_SHOWN_CHARS = 200


@dataclass(slots=True)
class Restart:
    """One rolling restart, however often its command has to be given again.

    stops: why it stopped by itself, or what it could not reach.
    """

    cluster: Cluster
    options: tuple[str, ...] = ("--watch-s", "2")
    begun: int = 0
    held: int = 0  # times that the lock was another's
    stops: list[str] = field(default_factory=list)
    process: "subprocess.Popen[str] | None" = None

    async def until_done(self) -> None:
        """Give the command again and again until it has restarted everything."""
        async with asyncio.timeout(RESTART_S):
            while True:
                code, told = await self.once()
                if code == 0:
                    return
                if code == EXIT_HELD:
                    self.held += 1
                elif code in (EXIT_STOPPED, EXIT_UNREACHED):
                    self.stops.append(_reason(told))
                    print(f"  {self.stops[-1]}", flush=True)
                elif code > 0:  # killed ones have told nothing
                    raise AssertionError(f"rolling-restart ended with code {code}: {told}")
                await asyncio.sleep(_AGAIN_S)

    async def once(self) -> tuple[int, str]:
        """Give the command; returns its exit code and what it printed."""
        fresh = () if self.begun else ("--fresh",)
        self.begun += 1
        self.process = self.cluster.begin("rolling-restart", *self.options, *fresh)
        try:
            out, err = await in_thread(self.process.communicate)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        return self.process.returncode, out + err

    def kill(self) -> None:
        """SIGKILL the operator's process."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def told(self) -> str:
        """For people."""
        why = "; ".join(self.stops) or "it never stopped"
        return f"command given {self.begun} times ({self.held} times held by another): {why}"


def starts(cluster: Cluster) -> dict[str, int]:
    """How often each role was started."""
    return {role.name: role.starts for role in cluster.roles}


def _reason(told: str) -> str:
    lines = [ln for ln in told.splitlines() if ln.startswith(("STOPPED:", "Error:"))]
    return (lines or told.splitlines()[-1:] or ["nothing said"])[-1][:_SHOWN_CHARS]
