"""Digests of twins that run different versions, told apart from content that differs (I3).

While a cluster is upgraded one twin may name digests of another version than the other. Before the
two are compared, ours are computed again in the version of those that are published.
"""

import logging
from collections.abc import Mapping
from pathlib import Path

import msgspec

from common.errors import DamagedObject
from common.logs import log_event
from segment.columns.digest import digest_version
from segment.columns.segment_read import SegmentReader
from snapshot.documents.manifest import Manifest, SegmentEntry

logger = logging.getLogger(__name__)


def with_digest_versions_of(
    published: Manifest, ours: Manifest, files: Mapping[str, Path]
) -> Manifest:
    """Our manifest with digests of the versions that the published one has, segment by segment.

    files: the sealed file of every object hash that ours names. Blocks.
    """
    known = {(entry.dataset, entry.far): entry for entry in published.segments}
    segments = [
        _in_digest_of(known.get((entry.dataset, entry.far), entry), entry, files)
        for entry in ours.segments
    ]
    if segments == ours.segments:
        return ours
    return msgspec.structs.replace(ours, segments=segments)


def _in_digest_of(
    theirs: SegmentEntry, mine: SegmentEntry, files: Mapping[str, Path]
) -> SegmentEntry:
    try:
        version = digest_version(theirs.digest)
    except ValueError:  # the twin is newer than we are: numbers of rows are compared
        log_event(
            logger, logging.WARNING, "the twin's digest is newer than ours", object=theirs.object
        )
        return msgspec.structs.replace(mine, digest=theirs.digest)
    if version == digest_version(mine.digest):
        return mine
    try:
        with SegmentReader(files[mine.object]) as reader:
            return msgspec.structs.replace(mine, digest=reader.digest(version))
    except DamagedObject as error:  # then it differs, and both are kept
        log_event(logger, logging.ERROR, "our own segment cannot be read", why=str(error))
        return mine
