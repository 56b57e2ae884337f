"""The object store: segments, manifests, epochs. Two implementations, one conformance suite."""

from common.objects.interface import ObjectInfo, ObjectStore

__all__ = ["ObjectInfo", "ObjectStore"]
