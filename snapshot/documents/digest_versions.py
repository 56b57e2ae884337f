"""Compares digests of twins that run different versions of the program (I3).

While a cluster is upgraded, the twins' manifests may have digests of different versions. Before
they are compared, our digests are computed again in the version of the published ones.
"""

import logging

import msgspec

from common.errors import DamagedObject
from common.logs import log_event
from segment.columns.digest import digest_version
from segment.columns.segment_read import SegmentReader
from snapshot.documents.manifest import Manifest, SegmentEntry
from snapshot.documents.sealed_files import SealedFiles

logger = logging.getLogger(__name__)


def with_digest_versions_of(published: Manifest, ours: Manifest, files: SealedFiles) -> Manifest:
    """Our manifest with the digest version of each published segment. Blocks.

    files: the sealed files of our manifest's segments.
    """
    known = {(entry.dataset, entry.far): entry for entry in published.segments}
    segments = [
        _in_digest_of(known.get((entry.dataset, entry.far), entry), entry, files)
        for entry in ours.segments
    ]
    if segments == ours.segments:
        return ours
    return msgspec.structs.replace(ours, segments=segments)


def _in_digest_of(theirs: SegmentEntry, mine: SegmentEntry, files: SealedFiles) -> SegmentEntry:
    try:
        version = digest_version(theirs.digest)
    except ValueError:  # the twin is of a newer version: only the numbers of rows are compared
        log_event(
            logger, logging.WARNING, "the twin's digest is newer than ours", object=theirs.object
        )
        return msgspec.structs.replace(mine, digest=theirs.digest)
    if version == digest_version(mine.digest):
        return mine
    try:
        path = files.local(mine.location)
        if path is None:
            raise DamagedObject(f"{mine.location} is not whole on this disk")
        with SegmentReader(path) as reader:
            return msgspec.structs.replace(mine, digest=reader.digest(version))
    except DamagedObject as error:  # the segments differ then, and both are stored
        log_event(logger, logging.ERROR, "our own segment cannot be read", why=str(error))
        return mine
