"""Errors of SQLite and of the file system, mapped to errors of the log."""

import errno
import os
import sqlite3
from pathlib import Path

from common.errors import LogFull, LogUnavailable

_FULL_ERRNOS = frozenset({errno.ENOSPC, errno.EDQUOT})
_NEARLY_FULL_BYTES = 256 * 1024  # SQLite reports some failed writes on a full disk as I/O errors


def to_log_error(error: sqlite3.Error | OSError, path: Path) -> LogUnavailable:
    """LogFull if the disk is out of space, else LogUnavailable; both name the file."""
    if _is_full(error, path):
        return LogFull(f"no space left for the log at {path}: free or add disk space, or inodes")
    return LogUnavailable(f"log file {path}: {error}; run `bellwether doctor`", retry_after_s=5)


def _is_full(error: sqlite3.Error | OSError, path: Path) -> bool:
    if isinstance(error, OSError):
        return error.errno in _FULL_ERRNOS
    primary = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if primary == sqlite3.SQLITE_FULL:
        return True
    if primary not in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return False
    try:
        disk = os.statvfs(path.parent)
    except OSError:
        return False
    no_files = bool(disk.f_files) and not disk.f_favail
    return no_files or disk.f_bavail * disk.f_frsize < _NEARLY_FULL_BYTES
