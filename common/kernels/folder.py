"""What is in a folder of compiled code, and whether it is what was written. Needs no numba.

numba runs whatever machine code it finds there. So the digests of all files are written down when
all is compiled, and compared before a role loads anything.
"""

import hashlib
import json
import shutil
from pathlib import Path

LOCK = "lock"
_DONE = "compiled.json"  # digests of all files, by their path within the folder
_CODE = ".nbc"  # numba's machine code; ".nbi" is its index


def has_any(folder: Path) -> bool:
    """Whether anything was ever compiled wholly below this folder, whatever it was."""
    return any(folder.glob(f"*/{_DONE}"))


def is_whole(place: Path) -> bool:
    """Whether every file of a compilation is there as it was written."""
    written = _written(place)
    return bool(written) and written.items() <= _digests(place).items()


def is_damaged(place: Path) -> bool:
    """Whether machine code is not what was compiled. An index may have got further entries."""
    code = {name: digest for name, digest in _written(place).items() if name.endswith(_CODE)}
    return not code.items() <= _digests(place).items()


def write_down(place: Path) -> None:
    """All is compiled: what is here now is whole."""
    made = place / f"{_DONE}.new"
    made.write_text(json.dumps(_digests(place)))
    made.rename(place / _DONE)


def clear(place: Path) -> None:
    """Remove everything but the lock."""
    for path in place.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


def _written(place: Path) -> dict[str, str]:
    """Digests as they were when all was compiled; none if it never was, or that file is damaged."""
    try:
        return dict(json.loads((place / _DONE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return {}


def _digests(place: Path) -> dict[str, str]:
    return {
        str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.rglob("*.nb?"))
    }
