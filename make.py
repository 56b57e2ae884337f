"""The two commands: `python3 make.py up` installs and starts Bellwether, `test` tests it.

Needs only Python 3.11 or newer. Everything is installed into `.venv` beside this file.
"""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts" if os.name == "nt" else "bin") / "python"


def install(requirements: str) -> None:
    """Create the virtual environment and install pinned packages, once per requirements file."""
    wanted = ROOT / requirements
    digest = hashlib.sha256(wanted.read_bytes() + (ROOT / "pyproject.toml").read_bytes())
    stamp = VENV / f".installed-{requirements}"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    print(f"installing what {requirements} pins into {VENV} (once)", flush=True)
    if not PYTHON.exists():
        created = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
        if created.returncode:
            sys.exit("could not create a virtual environment: install Python's venv module")
    pip = [str(PYTHON), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(wanted)], check=True)
    subprocess.run([*pip, "--no-deps", "-e", str(ROOT)], check=True)
    stamp.write_text(digest.hexdigest())


def test(arguments: list[str]) -> int:
    """Style, types, import contracts, then every test."""
    install("requirements-test.txt")
    python = str(PYTHON)
    checks = [
        [python, "-m", "ruff", "check", "."],
        [python, "-m", "ruff", "format", "--check", "."],
        [python, "-m", "mypy"],
        [str(PYTHON.parent / "lint-imports")],
        [python, "-m", "pytest", *arguments],
    ]
    for check in checks:
        print("$", *(Path(part).name if part == check[0] else part for part in check), flush=True)
        code = subprocess.run(check, cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


def main() -> int:
    """Run the command that the first argument names."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what meets an older Python
        sys.exit("Bellwether needs Python 3.11 or newer")
    command, arguments = (sys.argv[1:2] or ["help"])[0], sys.argv[2:]
    if command == "test":
        return test(arguments)
    if command == "up":
        install("requirements.txt")
        os.execv(PYTHON, [str(PYTHON), "-m", "bellwether", "up", *arguments])
    print(__doc__)
    return 0 if command in ("help", "-h", "--help") else 2


if __name__ == "__main__":
    sys.exit(main())
