"""The file of the shell's history: private to the user, and bounded."""

import os
from collections.abc import Mapping
from pathlib import Path

from bellwether.config.secrets import write_private

BYTES_MAX = 1024 * 1024  # years of questions; a longer file would be read at every start
_BYTES_KEPT = BYTES_MAX // 2


def history_file(environ: Mapping[str, str]) -> Path:
    """Where it is, by the XDG rules."""
    base = environ.get("XDG_STATE_HOME", "")
    home = Path(environ.get("HOME") or ".")
    folder = Path(base) if base.startswith("/") else home / ".local" / "state"
    return folder / "bellwether" / "history"


def prepare_history(path: Path) -> None:
    """Make the file if there is none, make it private, cut the oldest entries if it has grown
    long. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.fchmod(handle, 0o600)
        size = os.fstat(handle).st_size
    finally:
        os.close(handle)
    if size > BYTES_MAX:
        with open(path, "rb") as file:
            file.seek(size - _BYTES_KEPT)
            newest = file.read()
        _, _, whole = newest.partition(b"\n\n#")  # entries begin with a comment that has the time
        write_private(path, b"\n#" + whole)
