"""Fetches the servers at pinned versions into a cache folder, once per machine.

A package is installed in a temporary folder that is then renamed, so it is complete or absent; a
lock file keeps concurrent installs apart. Jars from Maven are checked against their SHA-256 sums,
Go programs against the sum of their module.
"""

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from compose.processes.host import Host
from compose.processes.progress import run_telling

_PINS = Path(__file__).resolve().parent / "packages"
_MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:2.8:copy-dependencies"
_TRIES = 3  # package registries time out now and then
_OUTPUT_SHOWN = 2_000
_DEBIAN = ("mariadb-server-core", "mariadb-client-core")
_MARIADB_PROGRAMS = ("mariadbd", "mariadb-install-db")

Say = Callable[[str], None]


class InstallFailed(Exception):
    """A server could not be installed; the text has the attempts and the remedy."""


@dataclass(frozen=True, slots=True)
class Package:
    """The package of one server. `tools`: programs that fetch or run it."""

    name: str
    version: str
    tools: tuple[str, ...]
    module: str = ""  # of Go
    module_sum: str = ""
    debian: str = ""  # unpacked into the cache, not installed

    @property
    def folder_name(self) -> str:
        """Its folder in the cache."""
        return f"{self.name}-{self.version}"


PACKAGES = {
    package.name: package
    for package in (
        Package("kafka", "4.3.1", ("java", "mvn")),
        Package("zookeeper", "3.9.5", ("java", "mvn")),
        Package("mariadb", "10", _MARIADB_PROGRAMS),
        Package("faketime", "0.9", ("apt-get", "dpkg"), debian="libfaketime"),
        Package("promtool", "2", ("apt-get", "dpkg"), debian="prometheus"),
        Package(
            "s3",
            "1.8.0",
            ("go",),
            module="github.com/versity/versitygw/cmd/versitygw@v1.8.0",
            module_sum="h1:au+wI+aybno/STsQiSm35Uu6Q6iK5MWReQxgO6SEMFc=",
        ),
        Package(
            "proxy",
            "2.5.0",
            ("go",),
            module="github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0",
            module_sum="h1:i4LPT+qrSlKNtQf5QliVjdP08GyAH8+BUIc9gT0eahc=",
        ),
    )
}
_HOW = {
    "java": "a Java runtime, 17 or newer (Debian, Ubuntu: apt-get install default-jre-headless)",
    "mvn": "Apache Maven (Debian, Ubuntu: apt-get install maven)",
    "apt-get": "Debian or Ubuntu (its apt-get fetches the package)",
    "dpkg": "Debian or Ubuntu (its dpkg unpacks the package)",
    "go": "Go, 1.24 or newer (https://go.dev/dl)",
    "mariadbd": f"MariaDB's server (Debian, Ubuntu: apt-get install {' '.join(_DEBIAN)})",
    "mariadb-install-db": f"MariaDB's server (Debian, Ubuntu: apt-get install {' '.join(_DEBIAN)})",
}


def missing_tools(host: Host, package: Package) -> list[str]:
    """The tools that this machine lacks for the package, each with how to get it."""
    if package.name == "mariadb":
        lacking = [program for program in package.tools if host.find(program) is None]
        return [] if _can_use_apt(host) else list(dict.fromkeys(_HOW[p] for p in lacking))
    # an installed Go program does not need Go; a jar always needs Java
    installed = is_installed(host, package)
    needed = [t for t in package.tools if not installed or t == "java"]
    return [_HOW[tool] for tool in needed if host.find(tool) is None]


def is_installed(host: Host, package: Package) -> bool:
    """Whether the package needs no fetching."""
    if package.name == "mariadb":
        return all(host.find(program) for program in _MARIADB_PROGRAMS)
    return (host.cache / package.folder_name).is_dir()


def ensure(host: Host, name: str, say: Say) -> Path:
    """The folder of an installed package; installs it first if need be. Raises InstallFailed."""
    package = PACKAGES[name]
    lacking = missing_tools(host, package)
    if lacking:
        raise InstallFailed(f"{name} needs " + "; and ".join(lacking))
    folder = host.cache / package.folder_name
    if is_installed(host, package):
        return folder
    host.cache.mkdir(parents=True, exist_ok=True)
    with _locked(host.cache / f"{package.folder_name}.lock", name, say):
        if is_installed(host, package):
            return folder
        begin_s = time.monotonic()
        say(f"installing {name} {package.version} (once)")
        if name == "mariadb":
            _install_from_debian(host, say)
        else:
            draft = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=host.cache))
            try:
                _installer(package)(host, package, draft, say)
                draft.rename(folder)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
        say(f"installed {name} in {time.monotonic() - begin_s:.0f} s")
    return folder


def _installer(package: Package) -> Callable[[Host, Package, Path, Say], None]:
    if package.debian:
        return _unpack_from_debian
    return _install_with_go if package.module else _install_with_maven


def _install_with_maven(host: Host, package: Package, draft: Path, say: Say) -> None:
    shutil.copy(_PINS / f"{package.name}.xml", draft / "pom.xml")
    libs = draft / "libs"
    command = ["mvn", "-B", _MAVEN_PLUGIN, "-DincludeScope=runtime"]
    _run(host, [*command, f"-DoutputDirectory={libs}"], draft, package.name, say)
    _check_sums(package, libs)


def _check_sums(package: Package, libs: Path) -> None:
    """Check that the downloaded files and their sums are exactly the pinned ones."""
    lines = (_PINS / f"{package.name}.sha256").read_text("ascii").splitlines()
    pinned = {name: digest for digest, name in (line.split() for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in libs.glob("*.jar")
    }
    if found != pinned:
        wrong = sorted(n for n in pinned.keys() | found.keys() if pinned.get(n) != found.get(n))
        raise InstallFailed(
            f"{package.name} {package.version}: these files are not the pinned ones: "
            f"{', '.join(wrong)}. Look at where Maven gets its packages; nothing was installed."
        )


def _install_with_go(host: Host, package: Package, draft: Path, say: Say) -> None:
    path, version = package.module.split("@")
    work = draft / "work"
    work.mkdir()
    environ = {
        "GOBIN": str(draft / "bin"),
        "GOPATH": str(work / "path"),
        "GOCACHE": str(work / "cache"),
        "GOFLAGS": "-modcacherw -trimpath -buildvcs=false",
        "CGO_ENABLED": "0",
    }
    download = _run(
        host, ["go", "mod", "download", "-json", f"{path.split('/cmd/')[0]}@{version}"],
        work, package.name, say, environ,
    )  # fmt: skip
    if json.loads(download)["Sum"] != package.module_sum:
        raise InstallFailed(f"{package.module} is not the pinned one; nothing was installed")
    build = ["go", "install", "-ldflags=-s -w", package.module]
    _run(host, build, work, package.name, say, environ)
    shutil.rmtree(work)


def _install_from_debian(host: Host, say: Say) -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    where = host.cache
    _run(host, ["apt-get", "update", "-qq"], where, "mariadb", say, quiet)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", *_DEBIAN]
    _run(host, command, where, "mariadb", say, quiet)


def _unpack_from_debian(host: Host, package: Package, draft: Path, say: Say) -> None:
    """Fetch one package, checked against Debian's signed lists, and unpack it here."""
    if os.geteuid() == 0:
        _run(host, ["apt-get", "update", "-qq"], draft, package.name, say)
    _run(
        host, ["apt-get", "-o", "APT::Sandbox::User=root", "download", package.debian],
        draft, package.name, say,
    )  # fmt: skip
    (archive,) = draft.glob("*.deb")
    _run(host, ["dpkg", "-x", archive.name, "."], draft, package.name, say)
    archive.unlink()


def _can_use_apt(host: Host) -> bool:
    return os.geteuid() == 0 and host.find("apt-get") is not None


def _run(
    host: Host,
    command: Sequence[str],
    folder: Path,
    name: str,
    say: Say,
    environ: dict[str, str] | None = None,
) -> str:
    """Run a package manager, with retries; returns its standard output."""
    program = host.find(command[0])
    if program is None:
        raise InstallFailed(f"{name} needs {_HOW.get(command[0], command[0])}")
    for attempt in range(1, _TRIES + 1):
        done = run_telling(
            [program, *command[1:]],
            folder,
            {**host.environ, **(environ or {})},
            lambda text: say(f"  {name}: {text}"),
        )
        if done.returncode == 0:
            return done.stdout
        if attempt < _TRIES:
            say(f"  {name}: `{command[0]}` failed, try {attempt + 1} of {_TRIES}")
            time.sleep(2.0 * attempt)
    output = (done.stdout + done.stderr).strip()[-_OUTPUT_SHOWN:]
    raise InstallFailed(f"{name}: `{' '.join(command)}` failed {_TRIES} times:\n{output}")


@contextmanager
def _locked(path: Path, name: str, say: Say) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another process that is installing {name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
