"""Functions and classes of a checkout, by name, wherever they are in it: modules may move.

Where a name changes, the table has the old and the new one.
"""

import importlib
import re
from pathlib import Path
from typing import Any

_PACKAGES = ("common", "segment", "shepherd", "indexer", "snapshot", "query")
# Where names that have not changed are looked up, by a part of the path.
_KEPT = {
    "shepherd/.*split/": "ReferenceSplitter",
    "shepherd/(?!otlp|zipkin)": "Media EventHeaders decode_event decode_batch",
    "indexer/.*shred/": "ReferenceShredder Accepted",
    "parquet/": "ReferenceEncoders",
    "indexer/": "CutRows seal_all SealingSet PendingCut build_manifest",
    "columns/": "concat block_digest",
    "common/": (
        "LogRecord events_record event_lines marker_record heartbeat_record "
        "settled_record Void Decision void_record decision_record ClockNote clock_record "
        "dataset_slug dataset_id client_batch_id"
    ),
    "common/(model/)?record": "encode_headers Damage Marker",
    "snapshot/": "Manifest Checkpoint",
    "snapshot/.*epochs": "Epoch",
}
# Under what other name something may be found, or which one of several is meant.
_NAMES: dict[str, tuple[str, tuple[str, ...]]] = {
    **{name: (where, (name,)) for where, names in _KEPT.items() for name in names.split()},
    "load_splitter": ("shepherd/.*split/(ahead|load_compiled)", ("load",)),
    "Wire": ("shepherd/(?!otlp|zipkin)", ("Wire", "EncodedBody")),
    "load_shredder": ("indexer/.*shred/(ahead|load_compiled)", ("load",)),
    "load_encoders": ("parquet/(ahead|load_compiled)", ("load",)),
    "Carried": ("snapshot/", ("Carried", "CarriedState")),
    "encode_checked": ("snapshot/", ("encode_checked", "encode_checksummed")),
    "decode_checked": ("snapshot/", ("decode_checked", "decode_checksummed")),
    "decode_record": ("common/(model/)?record", ("decode",)),
    "gone_record": ("common/", ("gone_record", "dataset_tombstone_record", "tombstone_record")),
    "Place": ("common/(model/)?reroute", ("Place", "EpochOffset")),
    "Question": ("common/(model/)?reroute", ("Question", "RerouteQuestion")),
    "Answer": ("common/(model/)?reroute", ("Answer", "RerouteAnswer")),
    "PartitionState": ("indexer/", ("Fold", "PartitionState")),
}


class Names:
    """The functions and classes of a checkout."""

    def __init__(self, checkout: Path) -> None:
        self._texts = {
            str(path.relative_to(checkout)): path.read_text()
            for package in _PACKAGES
            for path in sorted((checkout / package).rglob("*.py"))
        }

    def __getattr__(self, wanted: str) -> Any:
        module, name = self.find(wanted)
        value = getattr(importlib.import_module(module), name)
        setattr(self, wanted, value)  # looked up once
        return value

    def find(self, wanted: str) -> tuple[str, str]:
        """The module and the name in it. Raises LookupError if the table does not fit."""
        where, names = _NAMES[wanted]
        for name in names:
            begins = re.compile(rf"^(?:def|class|async def) {name}\b", re.MULTILINE)
            found = [
                path
                for path, text in self._texts.items()
                if re.search(where, path) and begins.search(text)
            ]
            if len(found) > 1:
                raise LookupError(f"{name} is in {', '.join(found)}: narrow its path in _NAMES")
            if found:
                path = found[0].removesuffix(".py").removesuffix("/__init__")
                return path.replace("/", "."), name
        raise LookupError(f"{' or '.join(names)} is not in {where}: add its new name to _NAMES")

    def missing(self) -> list[str]:
        """What of the table is not in this checkout, and why."""
        problems = []
        for wanted in _NAMES:
            try:
                self.find(wanted)
            except LookupError as error:
                problems.append(str(error))
        return problems
