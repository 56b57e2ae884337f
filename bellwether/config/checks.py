"""Checks over several sections: settings that contradict each other are refused at the start."""

import os
from collections.abc import Mapping
from typing import Any

from bellwether.config.sections import BackendsConfig, LocksKind, LogKind, MetadataKind, ObjectsKind
from ops.doctor.cluster import refusals
from ops.doctor.machine import Verdict


def contradiction(sections: Mapping[str, Any]) -> str | None:
    """The first contradiction, and how to correct it; or None."""
    chosen: BackendsConfig = sections["backends"]
    if chosen.log is LogKind.KAFKA and not sections["kafka"].servers:
        return _missing("log = kafka", "[kafka] servers", "broker1:9092,broker2:9092")
    if chosen.objects is ObjectsKind.S3 and not sections["s3"].bucket:
        return _missing("objects = s3", "[s3] bucket", "bellwether")
    mysql = sections["mysql"]
    if chosen.metadata is MetadataKind.MYSQL and not (mysql.host or mysql.socket):
        return _missing("metadata = mysql", "[mysql] host or socket", "db.example.com")
    if chosen.locks is LocksKind.ZOOKEEPER and not sections["zookeeper"].servers:
        return _missing("locks = zookeeper", "[zookeeper] servers", "zk1:2181,zk2:2181,zk3:2181")
    if sections["up"].small and sections["up"].twins:
        return "[up] small runs one indexer, twins need two: set only one of them"
    return _unreadable(sections, chosen)


def _unreadable(sections: Mapping[str, Any], chosen: BackendsConfig) -> str | None:
    """A file with certificates that cannot be read: libraries report it without its name."""
    named = {
        "kafka": (chosen.log is LogKind.KAFKA, ("ca", "cert", "key")),
        "s3": (chosen.objects is ObjectsKind.S3, ("ca",)),
        "mysql": (chosen.metadata is MetadataKind.MYSQL, ("ca",)),
        "zookeeper": (chosen.locks is LocksKind.ZOOKEEPER, ("ca", "cert", "key")),
    }
    for section, (used, settings) in named.items():
        for setting in settings if used else ():
            path: str = getattr(sections[section], setting)
            if path and not os.access(path, os.R_OK):
                return f"[{section}] {setting}: cannot read {path}; name a PEM file"
    return None


def _missing(choice: str, setting: str, example: str) -> str:
    return f"[backends] {choice} needs {setting}, for example {example}"


def refused(sections: Mapping[str, Any]) -> str | None:
    """Which settings would break an invariant, and why; or None. `init` makes nothing with them."""
    chosen: BackendsConfig = sections["backends"]
    if chosen.log is not LogKind.KAFKA:
        return None
    bad = [f for f in refusals(sections["kafka"]) if f.verdict is Verdict.FAIL]
    return "\n".join(f"{f.text}\n  {f.remedy}" for f in bad) or None
