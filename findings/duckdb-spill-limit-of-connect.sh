#!/usr/bin/env bash
# DuckDB 2.0.0 shows a `max_temp_directory_size` that was given to connect(config=...), and does not
# keep it. The same limit given by SET is kept.
#
# Expected: a database opened with a limit for its spilled data never spills more than that; it is
# the only way to bound the disk of a database whose configuration is locked afterwards.
# Seen (duckdb 2.0.0 of PyPI, Linux x86_64): both databases say that the limit is 976.5 KiB. A sort
# that has to spill far more succeeds in the one opened with the limit, and leaves more than 100 times
# of it in the folder meanwhile; in the other it ends with an OutOfMemoryException that names the
# limit.
# Way round: SET the limit after connecting, before the configuration is locked.
#
# Needs Python 3.11 or newer and pip. Fails if the behaviour changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check duckdb==2.0.0
cat > spill.py <<'PYTHON'
import os
import sys
import tempfile
import threading
import time

import duckdb

LIMIT = "1MB"
SORTED = "SELECT count(*) FROM (SELECT s, i FROM t ORDER BY s LIMIT 1900000 OFFSET 5)"


def spilled(folder: str) -> int:
    total = 0
    for name in os.listdir(folder):
        try:
            total += os.stat(os.path.join(folder, name)).st_size
        except FileNotFoundError:
            pass
    return total


def tried(by: str) -> tuple[str, str, int]:
    """(limit that the database shows, how the sort ended, most bytes in the folder)"""
    folder = tempfile.mkdtemp(dir=".")
    config = {"temp_directory": folder, "memory_limit": "50MB", "threads": "1"}
    if by == "connect":
        config["max_temp_directory_size"] = LIMIT
    database = duckdb.connect(config=config)
    if by == "set":
        database.sql(f"SET max_temp_directory_size = '{LIMIT}'")
    most, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not ended.is_set():
            most = max(most, spilled(folder))
            time.sleep(0.005)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    shown = database.sql("SELECT current_setting('max_temp_directory_size')").fetchall()[0][0]
    try:
        database.sql("CREATE TABLE t AS SELECT range AS i, md5(range::VARCHAR) AS s FROM range(2000000)")
        how = f"counted {database.sql(SORTED).fetchall()[0][0]}"
    except duckdb.OutOfMemoryException as error:
        how = "refused by the limit" if "max_temp_directory_size" in str(error) else "out of memory"
    ended.set()
    watching.join()
    return shown, how, most


print("duckdb", duckdb.__version__)
given, kept = tried("connect"), tried("set")
print("by connect:", *given)
print("by SET:    ", *kept)
same = given[0] == kept[0] == "976.5 KiB"
beyond = given[1] == "counted 1900000" and given[2] > 100 * 1_000_000
refused = kept[1] == "refused by the limit" and kept[2] <= 2 * 1_000_000
sys.exit(0 if same and beyond and refused else 1)
PYTHON
env/bin/python spill.py
