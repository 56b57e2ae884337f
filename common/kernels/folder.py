"""The files in a folder of compiled code, and whether they are intact. Needs no numba.

numba runs any machine code that it finds there. So the digests of all files are saved after
compiling, and compared before a role loads any of them.
"""

import hashlib
import json
import shutil
from pathlib import Path

LOCK = "lock"
_DONE = "compiled.json"  # digests of all files, by their path within the folder
_CODE = ".nbc"  # numba's machine code; ".nbi" is its index


def has_any(folder: Path) -> bool:
    """Whether any compilation below this folder was ever completed."""
    return any(folder.glob(f"*/{_DONE}"))


def is_whole(folder: Path) -> bool:
    """Whether every file of a compilation exists and is unchanged."""
    written = _written(folder)
    return bool(written) and written.items() <= _digests(folder).items()


def is_damaged(folder: Path) -> bool:
    """Whether machine code differs from the compiled one. An index may have new entries."""
    code = {name: digest for name, digest in _written(folder).items() if name.endswith(_CODE)}
    return not code.items() <= _digests(folder).items()


def save_digests(folder: Path) -> None:
    """Save the digests of all files, once everything is compiled."""
    made = folder / f"{_DONE}.new"
    made.write_text(json.dumps(_digests(folder)))
    made.rename(folder / _DONE)


def clear(folder: Path) -> None:
    """Remove everything but the lock."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _written(folder: Path) -> dict[str, str]:
    """Digests saved when all was compiled; none if it never was, or if that file is damaged."""
    try:
        return dict(json.loads((folder / _DONE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.nb?"))
    }
