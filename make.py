"""The two commands: `python3 make.py up` installs and starts Bellwether, `test` tests it.

    python3 make.py up [options]     install what is needed (once), start Bellwether
    python3 make.py test [options]   install what tests need (once), run all checks and tests
    python3 make.py test --quick     the same without servers and long tests: some minutes
    python3 make.py scenarios        break a whole cluster in every way that is tried (an hour)
    python3 make.py benchmarks       measure it beside its peers on this machine (or --quick)
    python3 make.py cluster COMMAND  a cluster on this machine: `up`, `status`, `kill`, `stop` ...
    python3 make.py wheel            build dist/*.whl: the client; with [server] everything
    python3 make.py env              the lines that a shell needs: eval "$(python3 make.py env)"
    python3 make.py COMMAND ...      any other command of Bellwether, for instance `query`

Needs only Python 3.11 or newer. Everything is installed into `.venv` beside this file, at the
versions and hashes that the requirements files pin.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / "python"
COMPILER = ("numba", "llvmlite")  # the only packages without which everything works, if slowly
# Tests within one process share nothing but compiled code, so they run on every core; a file stays
# on one. The longest begin (tests/conftest.py): no core waits for one of them at the end.
SPREAD = ("--numprocesses=auto", "--dist=loadfile", "--no-loadscope-reorder")
NO_TESTS = 5  # what pytest ends with if there are none
SOURCE_DATE_EPOCH = "1577836800"  # the same files make the same wheel, byte for byte
LAUNCHER = """#!{python}
import sys

from bellwether.cli import main

sys.exit(main())
"""


def install(requirements: str, *, needed: bool = True) -> None:
    """Create the virtual environment and install pinned packages, once per requirements file.

    What is not needed may fail to install, and is tried again next time.
    """
    wanted = ROOT / requirements
    digest = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()
    stamp = VENV / f".installed-{requirements}"
    if stamp.exists() and stamp.read_text() == digest and PYTHON.exists():
        return
    begin = time.monotonic()
    print(f"installing what {requirements} pins into {VENV} (once)", flush=True)
    if not PYTHON.exists():
        shutil.rmtree(VENV, ignore_errors=True)  # a half-made one, or of a Python that is gone
        print("  creating the virtual environment", flush=True)
        if subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False).returncode:
            sys.exit(
                "could not create a virtual environment: install Python's venv module "
                "(Debian, Ubuntu: apt install python3-venv)"
            )
    print("  downloading and installing packages", flush=True)
    is_whole = pip_install(wanted)
    if not is_whole:
        if not needed:
            print("  not all of them are for this machine: going on without", flush=True)
            return
        lesser = VENV / f"without-compiler-{requirements}"
        lesser.write_text(without(COMPILER, wanted.read_text("utf-8")), "utf-8")
        print(f"  trying without {' and '.join(COMPILER)}", flush=True)
        if not pip_install(lesser):
            sys.exit("could not install the packages: see pip's message above; then run this again")
    add_program()
    if not is_whole:
        print(
            "  NO COMPILED CODE: numba cannot be installed here (see pip's message above). "
            "Everything works, but takes ten times the CPU; it is tried again next time.",
            flush=True,
        )
        return
    stamp.write_text(digest)
    print(f"  installed in {time.monotonic() - begin:.0f} s", flush=True)


def pip_install(requirements: Path) -> bool:
    """Whether all of them could be installed; if not, pip has said why."""
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    options = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(requirements)]
    pinned = sum("==" in line for line in requirements.read_text("utf-8").splitlines())
    with subprocess.Popen([*pip, *options], stdout=subprocess.PIPE, text=True) as process:
        for text in progress(process.stdout or (), pinned):
            print(text, flush=True)
    return process.returncode == 0


def progress(lines: Iterable[str], pinned: int) -> Iterator[str]:
    """Of what pip prints, a line for each package, and what takes long without one."""
    seen = 0
    for line in lines:
        words = line.split()
        if words[:1] == ["Collecting"] or words[:3] == ["Requirement", "already", "satisfied:"]:
            seen += 1
            name = words[1 if words[0] == "Collecting" else 3]
            yield f"  [{seen:3}/{pinned}] {name}"
        elif words[:2] == ["Installing", "collected"]:
            yield "  installing them"


def without(packages: tuple[str, ...], requirements: str) -> str:
    """A requirements file without the pins of these packages."""
    kept, is_kept = [], True
    for line in requirements.splitlines(keepends=True):
        if not line.startswith((" ", "#")):
            is_kept = line.partition("==")[0] not in packages
        if is_kept:
            kept.append(line)
    return "".join(kept)


def add_program() -> None:
    """Let the environment run Bellwether from this folder: a path file and a launcher."""
    asked = [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    folder = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    (Path(folder) / "bellwether-checkout.pth").write_text(f"{ROOT}\n")
    launcher = BIN / "bellwether"
    launcher.write_text(LAUNCHER.format(python=PYTHON))
    launcher.chmod(0o755)


def page(*, needed: bool = False) -> None:
    """Build the page unless it is built, and note where it is. It may fail: all else works."""
    command = [str(PYTHON), str(ROOT / "web" / "make_page.py")]
    built = subprocess.run(command, check=False, capture_output=True, text=True)
    if built.returncode:
        print(f"  NO PAGE: {built.stderr.strip()}; it is tried again next time", flush=True)
        if needed:
            sys.exit(built.returncode)
        return
    (VENV / "bellwether-page.txt").write_text(built.stdout.strip(), "utf-8")


def test(arguments: list[str]) -> int:
    """Style, types, import contracts, then every test, or those that are quick."""
    install("requirements-test.txt")
    python = str(PYTHON)
    quick = "--quick" in arguments
    if not quick:
        page(needed=bool(os.environ.get("CI")))
        servers = subprocess.run([python, "-m", "compose", "install"], cwd=ROOT, check=False)
        if servers.returncode and os.environ.get("CI"):
            print("continuous integration needs every server", flush=True)
            return servers.returncode
    checks = [
        [python, "-m", "ruff", "check", "."],
        [python, "-m", "ruff", "format", "--check", "."],
        [python, "-m", "mypy"],
        [str(BIN / "lint-imports")],
        *([pytest(python, arguments)] if quick else pytest_in_two(python, arguments)),
    ]
    nothing = failed = 0
    for check in checks:
        print("$", *(Path(part).name if part == check[0] else part for part in check), flush=True)
        code = subprocess.run(check, cwd=ROOT, check=False).returncode
        if code == NO_TESTS and not quick and not nothing:
            nothing += 1  # all of the tests that were named are in the other part
        elif code:
            print(f"failed with code {code}", flush=True)
            failed = failed or code
            if "pytest" not in check:
                return code  # tests of what is not clean tell little; of tests both parts run
    if failed:
        return failed
    print("all checks and tests passed", flush=True)
    return 0


def pytest(python: str, arguments: list[str]) -> list[str]:
    """These tests on every core."""
    return [python, "-m", "pytest", *arguments, *SPREAD]


def pytest_in_two(python: str, arguments: list[str]) -> list[list[str]]:
    """Every test: those that may share a machine on every core, then one at a time those that
    start a whole Bellwether or need servers.
    """
    alone = [python, "-m", "pytest", "--alone", *arguments]
    return [pytest(python, ["--together", *arguments]), alone]


def scenarios(arguments: list[str]) -> int:
    """Every scenario of a cluster that breaks, with its figures; and what reads our files."""
    install("requirements-test.txt")
    install("requirements-benchmarks.txt", needed=False)
    command = [str(PYTHON), "-m", "pytest", "--scenarios", "-s", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def benchmarks(arguments: list[str]) -> int:
    """The benchmark harness with every peer that can be installed."""
    install("requirements.txt")
    install("requirements-benchmarks.txt", needed=False)
    command = [str(PYTHON), "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def cluster(arguments: list[str]) -> int:
    """The launcher of a whole cluster, in the caller's folder and in place of this process."""
    install("requirements.txt")
    os.environ["BELLWETHER_CLUSTER_COMMAND"] = f"python3 {os.path.relpath(__file__)} cluster"
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), "-m", "compose", *arguments])


def wheel() -> int:
    """A wheel for machines without a clone: its base install is the client alone."""
    install("requirements-wheel.txt")
    page(needed=True)
    bundle = ROOT / "query" / "page" / "bundle"  # where a role of an installed wheel looks
    leftovers = (ROOT / "build", ROOT / "bellwether.egg-info", bundle)
    dist = ROOT / "dist"
    for folder in leftovers:  # modules of an earlier build that are gone would be packed too
        shutil.rmtree(folder, ignore_errors=True)
    for old in dist.glob("bellwether-*.whl"):
        old.unlink()
    command = [
        str(PYTHON), "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-index",
        "--no-deps", "--no-build-isolation", "-w", str(dist), str(ROOT),
    ]  # fmt: skip
    environ = {"SOURCE_DATE_EPOCH": SOURCE_DATE_EPOCH, **os.environ}
    try:
        shutil.copytree((VENV / "bellwether-page.txt").read_text("utf-8"), bundle)
        done = subprocess.run(command, check=False, env=environ)
    finally:
        for folder in leftovers:
            shutil.rmtree(folder, ignore_errors=True)
    if done.returncode:
        return done.returncode
    (made,) = dist.glob("bellwether-*.whl")
    shown = os.path.relpath(made)
    print(f"{shown}\n  the client:      pip install {shown}")
    print(f"  the server too:  pip install '{shown}[server]'")
    return 0


def env(arguments: list[str]) -> int:
    """`bellwether env`; what is said while installing does not go where a shell would run it."""
    with contextlib.redirect_stdout(sys.stderr):
        install("requirements.txt")
    return run(["env", *arguments])


def run(arguments: list[str]) -> int:
    """A command of Bellwether, in the caller's folder and in place of this process."""
    install("requirements.txt")
    if arguments[:1] == ["up"] and "--no-page" not in arguments:
        page()
    launcher = BIN / "bellwether"
    shown = os.path.relpath(launcher)
    os.environ.setdefault("BELLWETHER_LAUNCHER", shown if len(shown) < 40 else str(launcher))
    sys.stdout.flush()
    os.execv(PYTHON, [str(PYTHON), "-m", "bellwether", *arguments])


def main() -> int:
    """Run the command that the first argument names."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what meets an older Python
        sys.exit("Bellwether needs Python 3.11 or newer")
    command, arguments = (sys.argv[1:2] or ["help"])[0], sys.argv[2:]
    if command in ("help", "-h", "--help"):
        print(__doc__)
        return 0
    if command == "test":
        return test(arguments)
    if command == "scenarios":
        return scenarios(arguments)
    if command == "benchmarks":
        return benchmarks(arguments)
    if command == "cluster":
        return cluster(arguments)
    if command == "wheel":
        return wheel()
    if command == "env":
        return env(arguments)
    return run([command, *arguments])


if __name__ == "__main__":
    sys.exit(main())
