"""What a browser loads of a page, compressed: ours, and that of VictoriaLogs beside it."""

import gzip
import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LEVEL: Final = 9
_KINDS: Final = (".js", ".css", ".html")
_MODULE: Final = "github.com/VictoriaMetrics/VictoriaLogs"
_PAGE_OF_MODULE: Final = "app/vlselect/vmui"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Bytes of scripts, style sheets and HTML, each file compressed by gzip.

    first: of what the index names, which a browser loads before it shows anything.
    """

    name: str
    first: int
    all: int


def size_of(name: str, folder: Path) -> Loaded:
    """Of a folder with an index.html."""
    files = {
        path.relative_to(folder).as_posix(): len(gzip.compress(path.read_bytes(), _LEVEL))
        for path in folder.rglob("*")
        if path.is_file() and path.suffix in _KINDS
    }
    index = (folder / "index.html").read_text("utf-8")
    named = set(re.findall(r'(?:src|href)="[^"]*?([\w.-]+\.(?:js|css))"', index))
    first = sum(size for path, size in files.items() if Path(path).name in named | {"index.html"})
    return Loaded(name, first, sum(files.values()))


def peer_size() -> Loaded | str:
    """Of VictoriaLogs' page, whose built files are in its Go module; or why it is not known."""
    go = shutil.which("go")
    if go is None:
        return "not measured: its files come as a Go module, and no Go is installed"
    folder = tempfile.mkdtemp(prefix="page-peer-")
    try:
        done = subprocess.run(
            [go, "mod", "download", "-json", f"{_MODULE}@latest"],
            cwd=folder,
            env={**os.environ, "GOMODCACHE": folder, "GOFLAGS": "-modcacherw"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode:
            return f"not measured: {done.stdout[-200:]} {done.stderr[-200:]}"
        told = json.loads(done.stdout)
        page = Path(told["Dir"]) / _PAGE_OF_MODULE
        return size_of(f"VictoriaLogs {told['Version']}, vmui", page)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"not measured: {error}"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
