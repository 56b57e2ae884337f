"""What a data folder holds: names of files and their modes, schemas, shapes of documents."""

import json
import re
import sqlite3
from pathlib import Path

from benchmarks.same_bytes.masks import shape

_NUMBER = re.compile(r"\d{5,}")
_HEX = re.compile(r"[0-9a-f]{16,}")
_BRANCH = re.compile(r"/[0-9a-f]{2}(?=/|$)")
_INSTANCE = re.compile(r"%2F(shepherd|indexer|query)-.*\.(lock|value)$")
_COMPILED = "kernel"


def described(data: Path) -> dict[str, str]:
    """By masked path: modes of files, tables of databases, members of JSON documents."""
    found: dict[str, set[str]] = {}
    for path in sorted(data.rglob("*")):
        shown = str(path.relative_to(data))
        if path.name.endswith(("-wal", "-shm")) or _COMPILED in shown:
            continue
        kept = _INSTANCE.sub(r"%2F\1.\2", shown)
        name = _NUMBER.sub("<number>", _BRANCH.sub("/<hh>", _HEX.sub("<hash>", kept)))
        what = found.setdefault(name, set())
        what.add(f"{'folder' if path.is_dir() else 'file'} {path.stat().st_mode & 0o777:o}")
        if path.suffix in (".db", ".sqlite"):
            what.add(_schema(path))
        elif path.suffix in (".json", ".value") and (text := path.read_bytes()).startswith(b"{"):
            what.add(shape(json.loads(text)))
    return {name: "\n".join(sorted(what)) for name, what in found.items()}


def _schema(path: Path) -> str:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
        version = connection.execute("PRAGMA user_version").fetchone()
        return "\n".join([str(version), *(row[0] or "" for row in rows)])
    finally:
        connection.close()


def documents(data: Path) -> dict[str, bytes]:
    """Manifests and checkpoints of the object store, by key."""
    objects = data / "objects"
    return {
        str(path.relative_to(objects)): path.read_bytes()
        for folder in ("manifests", "checkpoints")
        for path in sorted((objects / folder).rglob("*.json"))
    }
