"""Notes on an answer beside its rows: groups that are not listed, coverage."""

from typing import Any

from bellwether.answers.results.cells import show


def groups_line(document: dict[str, Any]) -> str:
    """`first 100 of 886 groups; ...`; empty where every group is listed."""
    groups = document.get("groups")
    if not groups or groups["returned"] >= groups["total"]:
        return ""
    text = f"first {groups['returned']:,} of {groups['total']:,} groups"
    if not groups["all"]:
        return f"{text} (LIMIT shows more)"
    other = ", ".join(f"{name} {show(value)}" for name, value in groups["other"].items())
    whole = ", ".join(f"{name} {show(value)}" for name, value in groups["all"].items())
    return f"{text}; other: {other}; total: {whole} (LIMIT shows more)"


def is_nothing(coverage: dict[str, Any]) -> bool:
    """Whether not one partition could be asked: then a count of 0 means nothing."""
    partitions = coverage.get("partitions") or []
    return bool(partitions) and not any("end_offset" in partition for partition in partitions)


def coverage_text(coverage: dict[str, Any]) -> str:
    """What the answer includes, in one line (I7)."""
    partitions = coverage.get("partitions") or []
    if coverage.get("complete"):
        return f"complete: {len(partitions)} of {len(partitions)} partitions"
    short = [p for p in partitions if not p.get("complete")]
    reasons = sorted({str(p["reason"]) for p in short if p.get("reason")})
    if coverage.get("reason"):
        reasons.append(str(coverage["reason"]))
    if coverage.get("series_incomplete"):
        reasons.append(f"the series lack partitions {coverage['series_incomplete']}")
    why = f" ({'; '.join(reasons)})" if reasons else ""
    return f"INCOMPLETE: {len(partitions) - len(short)} of {len(partitions)} partitions{why}"


def notes(document: dict[str, Any]) -> list[str]:
    """What a program's output has no place for: for standard error."""
    found = [groups_line(document)]
    found += [f"note: {note}" for note in document.get("notes") or []]
    coverage = document.get("coverage") or {}
    if not coverage.get("complete", True):
        found.append(coverage_text(coverage))
    return [one for one in found if one]
