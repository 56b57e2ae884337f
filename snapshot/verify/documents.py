"""Checks that documents outside of the chain of manifests can be read (I4)."""

import hashlib
from collections.abc import Iterator

import msgspec

from common.errors import DamagedObject, ObjectMissing
from common.objects import ObjectStore
from snapshot.documents.chain import Chain
from snapshot.documents.checksummed import DocumentTooNew, decode_checksummed, decode_stored
from snapshot.metadata_export import PREFIX, MetadataVersion, blob_key
from snapshot.verify.report import VerifyReport


def unreadable(
    chain: Chain, prefix: str, kind: type[msgspec.Struct], suffix: str = ".json"
) -> Iterator[str]:
    """Documents under the prefix that cannot be read, each with its reason. Blocks."""
    for info in chain.objects.list(prefix):
        if not info.key.endswith(suffix):
            continue
        try:
            decode_stored(chain.objects.get(info.key), kind, info.key)
        except ObjectMissing as error:
            if chain.objects.head(info.key) is not None:  # else it was deleted since it was listed
                yield str(error)
        except (DamagedObject, DocumentTooNew) as error:
            yield str(error)


def check_exports(objects: ObjectStore, report: VerifyReport) -> None:
    """Check that every export of the metadata is undamaged. Blocks."""
    remedy = "make a new export: bellwether metadata export; then delete this one"
    for info in list(objects.list(PREFIX)):
        try:
            version = decode_checksummed(objects.get(info.key), MetadataVersion, info.key)
            key = blob_key(version.object)
            if hashlib.sha256(objects.get(key)).hexdigest() != version.object:
                report.add(None, f"export of the metadata {key}: checksum does not match", remedy)
        except ObjectMissing as error:
            if objects.head(info.key) is not None:  # otherwise an exporter has just removed it
                report.add(None, f"export of the metadata {info.key}: {error}", remedy)
        except (DamagedObject, DocumentTooNew) as error:
            report.add(None, f"export of the metadata: {error}", remedy)
