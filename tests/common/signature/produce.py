"""Makes stacks.json: stacks that real programs of seven languages print, of two faults on two
builds whose lines differ. Needs gcc, g++, gdb, go, rustc, javac and node; run it as a program:

    python -m tests.common.signature.produce
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
STACKS: Final = HERE / "stacks.json"
FAULTS: Final = ("parse", "price")  # both raise with the message "bad amount"
_LINES: Final = (0, 11)  # added before and between the functions of each build
_BUILD: Final = (
    ("gcc", "-g", "-rdynamic", "-O0", "-o", "c", "main.c"),
    ("g++", "-g", "-rdynamic", "-O0", "-o", "cc", "main.cc"),
    ("rustc", "-g", "-C", "opt-level=0", "-o", "rs", "main.rs"),
    ("javac", "-d", ".", "App.java"),
)
_GDB: Final = ("gdb", "-q", "-batch", "-ex", "run", "-ex", "bt", "--args")
_RUN: Final[dict[str, tuple[str, ...]]] = {
    "python": ("python3", "app.py", "FAULT"),
    "python, a cause": ("python3", "app.py", "FAULT", "caused"),
    "javascript": ("node", "app.js", "FAULT"),
    "javascript, a cause": ("node", "app.js", "FAULT", "caused"),
    "java": ("java", "-cp", ".", "shop.App", "FAULT"),
    "java, a cause": ("java", "-cp", ".", "shop.App", "FAULT", "caused"),
    "go": ("go/app", "FAULT"),
    "go, another goroutine": ("go/app", "FAULT", "spawned"),
    "rust": ("rs", "FAULT"),
    "rust, full": ("rs", "FAULT"),
    "c, backtrace": ("c", "FAULT", "backtrace"),
    "c, gdb": (*_GDB, "./c", "FAULT"),
    "c++, backtrace": ("cc", "FAULT", "backtrace"),
    "c++, gdb": (*_GDB, "./cc", "FAULT"),
}


def main() -> None:
    """Write stacks.json: by form, by fault, the stacks of both builds."""
    found: dict[str, dict[str, list[str]]] = {}
    for lines in _LINES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _build(folder, lines)
            for form, command in _RUN.items():
                for fault in FAULTS:
                    stack = _stack(folder, form, command, fault)
                    found.setdefault(form, {}).setdefault(fault, []).append(stack)
    STACKS.write_text(json.dumps(found, indent=1) + "\n")


def _build(folder: Path, lines: int) -> None:
    for program in (HERE / "programs").iterdir():
        text = program.read_text().replace("@PAD@", "\n" * lines)
        (folder / program.name.removesuffix(".txt")).write_text(text)
    (folder / "go").mkdir()
    shutil.move(folder / "main.go", folder / "go" / "main.go")
    (folder / "go" / "go.mod").write_text("module shop\n\ngo 1.21\n")
    for command in _BUILD:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    subprocess.run(("go", "build", "-o", "app", "."), cwd=folder / "go", check=True)


def _stack(folder: Path, form: str, command: tuple[str, ...], fault: str) -> str:
    words = [fault if word == "FAULT" else word for word in command]
    if (folder / words[0]).exists():
        words[0] = str(folder / words[0])
    environ = {**os.environ, "RUST_BACKTRACE": "full" if "full" in form else "1"}
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, check=False, env=environ, timeout=120
    )
    text = done.stdout if words[0] == "gdb" else done.stderr
    python = re.escape(str(Path(sys.base_prefix).parent))
    return re.sub(python + r"[^/]*/[^/]*", "/usr", text.replace(str(folder), "/srv/shop"))


if __name__ == "__main__":
    main()
