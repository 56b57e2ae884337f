"""Where an interrupted load can go on: one small file per (file, dataset, address, choices)."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

_FILES_MAX = 200  # older states are removed


class LoadState(msgspec.Struct, frozen=True):
    """Everything before `offset` of the decompressed file has been answered."""

    name: str
    offset: int
    accepted: int
    rejected: int


def state_folder(environ: Mapping[str, str]) -> Path:
    """Where states are kept, by the XDG rules."""
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME", ".")) / ".local" / "state"
    return Path(base) / "bellwether" / "send"


def state_file(folder: Path, *parts: str) -> Path:
    """The state's file for a load that these parts name."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return folder / f"{digest[:32]}.json"


def read_state(path: Path) -> LoadState | None:
    """The state, None if there is none that can be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=LoadState)
    except (OSError, msgspec.DecodeError):
        return None


def write_state(path: Path, state: LoadState) -> None:
    """Keep the state, whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.new")
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(path)
    states = sorted(path.parent.glob("*.json"), key=lambda p: p.stat().st_mtime)
    for old in states[:-_FILES_MAX]:
        old.unlink(missing_ok=True)
