"""Secrets in files: a data folder's first API key and token between roles, a user's servers.

Files of mode 0600 in a folder of mode 0700, written whole or not at all. Never printed from here.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from string import hexdigits

_TOKEN_BYTES = 32


def secrets_folder(data: Path) -> Path:
    """Where the secrets of a data folder are."""
    return data / "secrets"


def key_file(data: Path) -> Path:
    """The file that holds the API key in plain text."""
    return secrets_folder(data) / "key"


def read_key(data: Path) -> str | None:
    """The key of the data folder, None if there is no file. Raises OSError."""
    return _read(key_file(data))


def write_key(data: Path, key: str) -> None:
    """Keep the key. Raises OSError."""
    _write(key_file(data), key)


def read_internal_token(data: Path) -> str:
    """The token between roles, created on first use: roles that start at once agree on the one
    that is written first. Raises OSError.
    """
    path = secrets_folder(data) / "internal-token"
    token = _read(path)
    if token is None:
        made = os.urandom(_TOKEN_BYTES).hex()
        with _draft(path, made.encode() + b"\n") as draft, suppress(FileExistsError):
            os.link(draft, path)
        token = _read(path)
    if token is None:  # an empty file
        token = made
        _write(path, token)
    return token


def check_token_file(data: Path) -> None:
    """Nothing if the token is there and whole, or not there yet. Raises OSError."""
    path = secrets_folder(data) / "internal-token"
    token = _read(path)
    whole = token is not None and len(token) == 2 * _TOKEN_BYTES and set(token) <= set(hexdigits)
    if path.exists() and not whole:
        raise _damaged(path)


def _damaged(path: Path) -> OSError:
    return OSError(
        f"{path} is damaged: restore it, or remove it while nothing runs and a new one is made"
    )


def _read(path: Path) -> str | None:
    try:
        text = path.read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        return None
    if not (text.isascii() and text.isprintable() and " " not in text):  # fits no header
        raise _damaged(path)
    return text or None


def _write(path: Path, text: str) -> None:
    write_private(path, text.encode() + b"\n")


def write_private(path: Path, content: bytes) -> None:
    """Replace the file by one that only its owner can read. Raises OSError."""
    with _draft(path, content) as draft:
        draft.replace(path)


@contextmanager
def _draft(path: Path, content: bytes) -> Iterator[Path]:
    """A finished file beside the path, to be linked or renamed; removed afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            with open(handle, "wb", closefd=False) as file:
                file.write(content)
            os.fsync(handle)
        finally:
            os.close(handle)
        yield draft
    finally:
        draft.unlink(missing_ok=True)
