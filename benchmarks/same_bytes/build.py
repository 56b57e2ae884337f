"""A checkout of Bellwether, and how its commands are run."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.two_builds import Installation

_COMMAND_S = 1_200.0  # all compiled code may have to be made, on a machine that is busy
_AT_ONCE = 2
# What is compiled is compared within the builds' own modules; here it would only take time.
_KERNELS = "\n[indexer]\nkernel = false\n"


@dataclass(frozen=True)
class Build:
    """name: this or other. kernels: where its compiled code is kept. scratch: its empty folder."""

    name: str
    checkout: Path
    kernels: Path
    scratch: Path

    @property
    def kernel_folder(self) -> Path:
        """The compiled code of this checkout, shared with `benchmarks.two_builds`."""
        return self.kernels / self.checkout.name

    def environ(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of its processes."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("BELLWETHER_")}
        return kept | {
            "PYTHONPATH": str(self.checkout),
            "BELLWETHER_INDEXER_KERNEL_CACHE": str(self.kernel_folder),
            "BELLWETHER_SHEPHERD_KERNEL_CACHE": str(self.kernel_folder),
            "XDG_STATE_HOME": str(self.scratch / "state"),
            "XDG_CONFIG_HOME": str(self.scratch / "config"),
            "COLUMNS": "120",
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
        } | dict(more)  # fmt: skip

    def run(
        self, *command: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """Run Python with these arguments; its exit code, and all that it printed."""
        done = subprocess.run(
            [sys.executable, *command],
            cwd=self.scratch,
            env=self.environ(environ or {}),
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_COMMAND_S,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "backslashreplace")

    def inside(self, *arguments: str) -> tuple[int, str]:
        """Run `benchmarks.same_bytes.inside` of this checkout with the other modules of its own."""
        package = self.scratch / "path" / "benchmarks"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / Path(__file__).parent.name).symlink_to(Path(__file__).parent)
        path = {"PYTHONPATH": f"{package.parent}:{self.checkout}"}
        return self.run("-P", "-m", f"{__package__}.inside", *arguments, environ=path)

    def bellwether(
        self, *arguments: str, stdin: bytes = b"", environ: Mapping[str, str] | None = None
    ) -> str:
        """Run a command; what it printed, and its exit code in a last line."""
        more = dict(environ or {})
        code, output = self.run("-m", "bellwether", *arguments, stdin=stdin, environ=more)
        return f"{output}[exit {code}]"

    @contextmanager
    def up(self, folder: Path, settings: str = "") -> Iterator[Installation]:
        """`bellwether up` on `folder`/data, with a settings file of this text."""
        folder.mkdir(exist_ok=True)
        (folder / "bellwether.toml").write_text(settings + _KERNELS)
        running = Installation(self.name, self.checkout, folder)
        try:
            running.start(self.kernels, compiled=False)
            yield running
        finally:
            running.stop()


def all_of(build: Build, commands: Sequence[Sequence[str]]) -> dict[str, str]:
    """What each command prints, by its words."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        texts = pool.map(lambda words: build.bellwether(*words), commands)
        return {" ".join(words): text for words, text in zip(commands, texts, strict=True)}
