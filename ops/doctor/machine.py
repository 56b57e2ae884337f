"""Checks of one machine, each with its remedy.

Each check is a function that returns findings. It changes nothing but a file of its own, which it
removes again.
"""

import os
import resource
import shutil
import socket
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

from common.clock import Clock

DISK_FREE_WARN = 2 * 1024**3  # an hour of a busy machine's log and segments
DISK_FREE_FAIL = 256 * 1024**2
FILES_FREE_FAIL = 1_000  # segments, manifests and log files of an hour
FSYNC_SLOW_MS = 50.0  # acknowledgements wait for it
OPEN_FILES_MIN = 1024  # connections, segments and log files of one role
CLOCK_SKEW_WARN_S = 2.0
CLOCK_SKEW_FAIL_S = 300.0
PYTHON_MIN = (3, 11)


class Verdict(StrEnum):
    """The result of a check. Only `fail` makes the exit code 1."""

    GOOD = "good"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of a check.

    remedy: what to do; "" if nothing is wrong.
    """

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""


def check_python(version: tuple[int, int], requirements: Iterable[str]) -> list[Finding]:
    """Check Python's version, and that the packages of these names are installed."""
    found = []
    text = ".".join(map(str, version))
    if version < PYTHON_MIN:
        found.append(Finding("python", Verdict.FAIL, text, "install Python 3.11 or newer"))
    else:
        found.append(Finding("python", Verdict.GOOD, text))
    missing = []
    for name in requirements:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        remedy = "install the pinned ones: python3 make.py up"
        found.append(Finding("packages", Verdict.FAIL, f"missing: {', '.join(missing)}", remedy))
    else:
        found.append(Finding("packages", Verdict.GOOD, "all there"))
    return found


def check_folder(data: Path) -> list[Finding]:
    """Check that the data folder exists and can be written."""
    if not data.exists():
        if os.access(data.absolute().parent, os.W_OK):
            text = f"{data} is not there yet; the first `bellwether up` creates it"
            return [Finding("data folder", Verdict.GOOD, text)]
        remedy = "create it, or choose another with --data"
        return [Finding("data folder", Verdict.FAIL, f"{data} cannot be created", remedy)]
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        remedy = f"give it to the user that runs Bellwether: chown -R {os.getuid()} {data}"
        return [Finding("data folder", Verdict.FAIL, f"{data} is not ours to write", remedy)]
    return [Finding("data folder", Verdict.GOOD, str(data))]


def check_secrets(data: Path) -> list[Finding]:
    """Check that no other user can read keys and tokens."""
    folder = data / "secrets"
    if not folder.exists():
        return []
    loose = []
    for path in (folder, *sorted(folder.iterdir())):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            loose.append(f"{path} has mode {mode:03o}")
    if loose:
        remedy = f"chmod 700 {folder} && chmod 600 {folder}/*; then consider new keys"
        return [Finding("secrets", Verdict.FAIL, "; ".join(loose), remedy)]
    return [Finding("secrets", Verdict.GOOD, "readable by their owner alone")]


def check_disk(data: Path) -> list[Finding]:
    """Check the free space where the data folder is or will be."""
    names = os.statvfs(_existing(data))
    if names.f_files and names.f_favail < FILES_FREE_FAIL:
        text = f"{names.f_favail} more files fit on the file system (inodes)"
        return [Finding("disk space", Verdict.FAIL, text, "remove files that nobody needs")]
    free = shutil.disk_usage(_existing(data)).free
    text = f"{free / 1e9:.1f} GB free"
    if free < DISK_FREE_FAIL:
        remedy = "free space: events are refused with 503 when the disk is full"
        return [Finding("disk space", Verdict.FAIL, text, remedy)]
    if free < DISK_FREE_WARN:
        return [Finding("disk space", Verdict.WARN, text, "free space soon")]
    return [Finding("disk space", Verdict.GOOD, text)]


def check_room(refusal: str | None) -> list[Finding]:
    """Report that the log has no room for records. refusal: why; None: it has room."""
    if refusal is None:
        return []
    remedy = "mend that; clients get 503 until then, what is stored is served"
    return [Finding("room for events", Verdict.FAIL, refusal, remedy)]


def check_fsync(data: Path, clock: Clock) -> list[Finding]:
    """Check that a file can be made durable, and how long that takes."""
    path = _existing(data) / f".doctor-{os.getpid()}"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            begin_ns = clock.monotonic_ns()
            for _ in range(5):
                os.write(handle, b"x" * 4096)
                os.fsync(handle)
            taken_ms = (clock.monotonic_ns() - begin_ns) / 5e6
        finally:
            os.close(handle)
            path.unlink()
    except OSError as error:
        remedy = "use a local file system that can fsync; see also disk space and permissions"
        return [Finding("fsync", Verdict.FAIL, str(error), remedy)]
    text = f"{taken_ms:.1f} ms"
    if taken_ms > FSYNC_SLOW_MS:
        remedy = "every acknowledgement waits this long: put the data folder on a faster disk"
        return [Finding("fsync", Verdict.WARN, text, remedy)]
    return [Finding("fsync", Verdict.GOOD, text)]


def check_open_files() -> list[Finding]:
    """Check the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    text = f"{soft} open files allowed"
    if soft < OPEN_FILES_MIN:
        remedy = f"raise it: ulimit -n {min(hard, 65_536) if hard > 0 else 65_536}"
        return [Finding("open files", Verdict.WARN, text, remedy)]
    return [Finding("open files", Verdict.GOOD, text)]


def check_port(host: str, port: int, holder: str) -> list[Finding]:
    """Check that the public port is free, or used by our own `up`.

    holder: the address of our own `up`; "" if it does not run.
    """
    if holder:  # on whatever port it listens: its own options may differ from ours
        return [Finding("port", Verdict.GOOD, f"served by our own up: {holder}")]
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            text = f"{host}:{port}: {error.strerror}"
            remedy = "stop what uses it, or choose another: bellwether up --port"
            return [Finding("port", Verdict.FAIL, text, remedy)]
    return [Finding("port", Verdict.GOOD, f"{host}:{port} is free")]


def check_clock(server_s: float | None, here_s: float) -> list[Finding]:
    """Compare this machine's clock with the server's (`server_s`, unix seconds; None: unknown)."""
    if server_s is None:
        year = 1970 + here_s / 31_556_952
        if year < 2024:
            remedy = "set the clock, and keep it with NTP"
            return [Finding("clock", Verdict.FAIL, f"it says {year:.0f}", remedy)]
        return [Finding("clock", Verdict.GOOD, "plausible; no server to compare with")]
    skew_s = here_s - server_s
    text = f"{abs(skew_s):.1f} s {'ahead of' if skew_s > 0 else 'behind'} the server"
    remedy = "synchronise both clocks with NTP: event times and query ranges depend on them"
    if abs(skew_s) > CLOCK_SKEW_FAIL_S:
        return [Finding("clock", Verdict.FAIL, text, remedy)]
    if abs(skew_s) > CLOCK_SKEW_WARN_S:
        return [Finding("clock", Verdict.WARN, text, remedy)]
    return [Finding("clock", Verdict.GOOD, "agrees with the server")]


def check_tls(cert: str, key: str) -> list[Finding]:
    """Check that certificate and key are both given and readable."""
    if not cert and not key:
        return []
    if not (cert and key):
        remedy = "give both shepherd.tls_cert and shepherd.tls_key"
        return [Finding("TLS", Verdict.FAIL, "only one of certificate and key is set", remedy)]
    unreadable = [path for path in (cert, key) if not os.access(path, os.R_OK)]
    if unreadable:
        remedy = "correct the path or its permissions"
        return [Finding("TLS", Verdict.FAIL, f"cannot read {', '.join(unreadable)}", remedy)]
    return [Finding("TLS", Verdict.GOOD, "certificate and key can be read")]


def python_version() -> tuple[int, int]:
    """The running Python."""
    return sys.version_info[0], sys.version_info[1]


def _existing(path: Path) -> Path:
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
