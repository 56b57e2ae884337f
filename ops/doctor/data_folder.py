"""Checks of the content of a data folder: log, objects, metadata, permissions (I13).

Nothing is changed. Findings say what was not read, so that none claims more than was checked.
"""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from common.log import Log
from common.log.embedded.examine import examine_log
from common.objects import ObjectStore
from ops.doctor.machine import Finding, Verdict
from snapshot.documents.epochs import known_partitions
from snapshot.verify.report import VerifyReport
from snapshot.verify.verify import verify

_SHOWN_MAX = 10
_TABLES = ("teams", "environments", "api_keys", "datasets")


class ReadLimits(NamedTuple):
    """Up to how many bytes a check reads everything: a second or two. Beyond, `verify` does.

    log_bytes: of the embedded log, which is otherwise only checked for its files.
    segment_bytes: of segments; of those beyond it only the sizes are checked.
    """

    log_bytes: int = 1024**3
    segment_bytes: int = 256 * 1024**2


READ_LIMITS = ReadLimits()


def check_log_files(folder: Path, limits: ReadLimits = READ_LIMITS) -> list[Finding]:
    """Check the embedded log: its description, every file, and every record of a small log."""
    size = sum(_size(path) for path in folder.glob("p*/*.db"))
    whole = size <= limits.log_bytes
    found = examine_log(folder, records=whole)
    if found.flaws:
        return _failures("log", [(flaw.what, flaw.remedy) for flaw in found.flaws])
    if whole:
        text = f"{found.files} files, {found.records:,} records, every checksum is right"
    else:
        text = f"{found.files} files are there; `bellwether verify` reads their {size / 1e9:.0f} GB"
    return [Finding("log", Verdict.GOOD, text)]


async def check_store(
    objects: ObjectStore, log: Log | None, limits: ReadLimits = READ_LIMITS
) -> list[Finding]:
    """Check all documents of the object store and all segments' sizes; of a small store all bytes.

    log: not opened yet; None: there is none, and only the object store is checked.
    """
    known = await asyncio.to_thread(known_partitions, objects)
    partitions = 0 if log is None else (await log.open()).partitions
    report = await verify(
        objects, log, range(max(known, partitions)), contents_bytes_max=limits.segment_bytes
    )
    if not report.clean:
        return _failures("objects", [(p.what, p.remedy) for p in report.problems if not p.warning])
    return [Finding("objects", Verdict.GOOD, _store_text(report))]


def _store_text(report: VerifyReport) -> str:
    text = f"{report.manifests} manifests, {report.segments} segments are there"
    if report.unread:
        return f"{text}; the bytes of {report.unread} of them are read by `bellwether verify` alone"
    return f"{text} and whole"


def check_metadata_file(path: Path, used: bool) -> list[Finding]:
    """Check the metadata file. used: the data folder has been used, so the file must exist."""
    remedy = (
        "stop `up`, move the file away, start `up` and stop it again, then "
        "`bellwether metadata restore --overwrite`: it brings the newest export back, or asks "
        "which one"
    )
    if not path.exists():
        if not used:
            return []
        return [Finding("metadata", Verdict.FAIL, f"{path} is missing", remedy)]
    try:
        with closing(_open_read_only(path)) as db:
            errors = [str(row[0]) for row in db.execute("PRAGMA quick_check(5)")]
            names = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    except sqlite3.Error as error:
        return [Finding("metadata", Verdict.FAIL, f"{path}: {error}", remedy)]
    lacking = [name for name in _TABLES if name not in names]
    if lacking:
        errors = [f"it has no table {', '.join(lacking)}"]
    if errors != ["ok"]:
        return [Finding("metadata", Verdict.FAIL, f"{path}: {'; '.join(errors)}", remedy)]
    return [Finding("metadata", Verdict.GOOD, "can be read, and is whole")]


def knows_key(data: Path, key_hash: str) -> bool:
    """Whether the metadata has a key of that hash; True if the file cannot be read.

    `check_metadata_file` reports a file that cannot be read.
    """
    try:
        with closing(_open_read_only(data / "metadata.db")) as db:
            row = db.execute("SELECT 1 FROM api_keys WHERE hash = ?", (key_hash,)).fetchone()
    except sqlite3.Error:
        return True
    return row is not None


def check_readable(data: Path) -> list[Finding]:
    """Check that every file and folder of the data folder can be read."""
    bad = []
    for folder, folders, files in os.walk(data):
        here = Path(folder)
        bad += [here / name for name in folders if not os.access(here / name, os.R_OK | os.X_OK)]
        bad += [here / name for name in files if not os.access(here / name, os.R_OK)]
    if not bad:
        return []
    remedy = f"give it to the user that runs Bellwether: chown -R {os.getuid()} {data}"
    return _failures("permissions", [(f"{path} is not ours to read", remedy) for path in bad])


def _failures(check: str, errors: list[tuple[str, str]]) -> list[Finding]:
    found = [Finding(check, Verdict.FAIL, what, remedy) for what, remedy in errors[:_SHOWN_MAX]]
    if len(errors) > _SHOWN_MAX:
        more = f"{len(errors) - _SHOWN_MAX} more of this kind"
        found.append(Finding(check, Verdict.FAIL, more, "`bellwether verify` names them all"))
    return found


def _open_read_only(path: Path) -> sqlite3.Connection:
    """Open a database read-only, without creating files beside one that no process writes."""
    how = "mode=ro" if _size(Path(f"{path}-wal")) else "mode=ro&immutable=1"
    return sqlite3.connect(f"file:{quote(str(path))}?{how}", uri=True, timeout=5.0)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
