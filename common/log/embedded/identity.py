"""The identity file of the log, `log.json`: written once by the first process, never changed."""

import secrets
from pathlib import Path

import orjson

from common import atomic_files
from common.errors import LogUnavailable
from common.log.interface import LogIdentity

_FORMAT = 1
_NAME = "log.json"


def open_identity(folder: Path, partitions: int) -> LogIdentity:
    """Read the log's identity, or create it with this partition count. Raises OSError.

    An existing log keeps its own partition count. Raises LogUnavailable if the identity file
    cannot be read, or is missing although there are records.
    """
    atomic_files.make_folder(folder)
    found = read_identity(folder)
    if found is None:
        body = {"format": _FORMAT, "epoch": secrets.token_hex(8), "partitions": partitions}
        atomic_files.put_new(folder / _NAME, orjson.dumps(body))
        found = _read(folder / _NAME)
    return found


def read_identity(folder: Path) -> LogIdentity | None:
    """The identity of an existing log; None if there is no log. Changes nothing.

    Raises LogUnavailable as `open_identity` does, and OSError.
    """
    path = folder / _NAME
    if not path.exists():
        if any(folder.glob("p*/*.db")) and not path.exists():
            raise LogUnavailable(f"{path} is missing but the log has records: restore it")
        return None
    return _read(path)


def _read(path: Path) -> LogIdentity:
    try:
        body = orjson.loads(path.read_bytes())
        found = LogIdentity(str(body["epoch"]), int(body["partitions"]))
        version = int(body["format"])
    except (KeyError, TypeError, ValueError) as error:
        raise LogUnavailable(f"{path} cannot be read: {error}; restore it") from error
    if version != _FORMAT or found.partitions < 1:
        raise LogUnavailable(f"{path} is of format {version}, this program knows {_FORMAT}")
    return found
