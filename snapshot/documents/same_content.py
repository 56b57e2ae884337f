"""Whether two manifests of a partition name the same content, and where they differ (I3)."""

from snapshot.documents.manifest import Manifest


def same_content(one: Manifest, other: Manifest) -> list[str]:
    """Names of the fields in which two manifests of one cut differ (I3); empty if they agree.

    Object hashes may differ: another version of the writer may encode the same content otherwise.
    """
    differences = [
        name
        for name in (
            "first_offset",
            "next_offset",
            "last_batch",
            "last_append_ns",
            "rows",
            "batches",
            "hour_markers",
            "watermark_ns",
            "datasets",
            "gone",
            "conditionals_open",
            "conditionals_dropped",
            "voids",
            "relies_on",
            "clock_steps",
        )
        if getattr(one, name) != getattr(other, name)
    ]
    if _contents(one) != _contents(other):
        differences.append("segments")
    return differences


def _contents(manifest: Manifest) -> list[tuple[str, bool, int, str]]:
    return sorted((s.dataset, s.far, s.rows, s.digest) for s in manifest.segments)
