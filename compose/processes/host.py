"""The launcher's view of the machine: environment, tools, and the folder that caches servers.

Only this module of the cluster reads the process's own environment, and only when a command line or
a test fixture calls it.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

CACHE_VARIABLE = "BELLWETHER_SERVERS"
COMMAND_VARIABLE = "BELLWETHER_CLUSTER_COMMAND"
_SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/usr/local/go/bin")  # not in every user's PATH


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that servers are installed and run on. `cache`: where they are kept."""

    cache: Path
    environ: Mapping[str, str] = field(repr=False)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Host":
        """The cache is $BELLWETHER_SERVERS, else below $XDG_CACHE_HOME, else below ~/.cache."""
        named = environ.get(CACHE_VARIABLE)
        if named:
            return cls(Path(named).expanduser().resolve(), environ)
        base = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return cls(Path(base) / "bellwether" / "servers", environ)

    @classmethod
    def here(cls) -> "Host":
        """This machine, as this process sees it."""
        return cls.from_environ(dict(os.environ))

    @property
    def command(self) -> str:
        """The launcher's command line on this machine, for help texts."""
        return self.environ.get(COMMAND_VARIABLE) or "python -m compose"

    def find(self, program: str) -> str | None:
        """The path of an installed program."""
        path = os.pathsep.join([self.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
        return shutil.which(program, path=path)

    def server_environment(self) -> dict[str, str]:
        """The environment of a server: without our settings, and without a proxy for loopback."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "JAVA_HOME", "TZ", "USER")
        return {name: self.environ[name] for name in kept if name in self.environ}
