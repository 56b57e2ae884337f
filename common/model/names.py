"""Ids of teams, environments and datasets: derived, never allocated (I8).

A dataset's id is a hash of (team, environment, slug), so a new dataset needs no database. The
folding rule behind the slug is pinned: it never changes with the version of Python or Unicode.
"""

import functools
import hashlib
import unicodedata

from common import limits

ALL_DATASETS = "__all__"
OWN_DATASET = "bellwether"
# What RFC 3986 calls unreserved, without capitals: slugs have none of ASCII's.
_URL_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.~")
_REMEMBERED_MAX = 4_096  # results of pure functions that every request needs; a few MB at most
_PINNED = unicodedata.ucd_3_2_0  # the Unicode 3.2 database that every Python carries


class BadDatasetName(ValueError):
    """A dataset name that cannot be used. The message states the cause."""


@functools.lru_cache(_REMEMBERED_MAX)
def dataset_slug(name: str) -> str:
    """The slug of a (URL-decoded) dataset name: NFC, case-folded, blanks and `/` become `-`.

    Only characters assigned in Unicode 3.2 are folded, so the result is the same for ever.
    Raises BadDatasetName.
    """
    name = name.strip()
    if not name:
        raise BadDatasetName("dataset name must not be empty")
    if len(name) > limits.DATASET_NAME_CHARS_MAX:
        raise BadDatasetName(f"dataset name is longer than {limits.DATASET_NAME_CHARS_MAX}")
    if any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        raise BadDatasetName("dataset name must not hold control characters")
    if name == ALL_DATASETS:
        raise BadDatasetName(f"{ALL_DATASETS} names every dataset and cannot be one")
    normal = _PINNED.normalize("NFC", name)
    folded = "".join(c.casefold() if _PINNED.category(c) != "Cn" else c for c in normal)
    return "".join("-" if c.isspace() or c == "/" else c for c in folded)


def url_slug(slug: str) -> str:
    """The second name of a dataset, for URLs, as the vendor makes it: `mydataset-` of `mydataset!`.

    Made of the slug above, so it is lower case; every character that a URL's path would have to
    escape is a `-`. Several datasets may have the same one: it is never an identity.
    """
    return "".join(c if c in _URL_CHARACTERS else "-" for c in slug)


def _derive(kind: str, *parts: str) -> bytes:
    digest = hashlib.sha256(b"bellwether/1/" + kind.encode())
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(4, "little") + raw)
    return digest.digest()


def team_id(slug: str) -> str:
    """16 hex digits that name the team."""
    return _derive("team", slug).hex()[:16]


def environment_id(team: str, slug: str) -> str:
    """16 hex digits that name the environment of a team."""
    return _derive("environment", team, slug).hex()[:16]


@functools.lru_cache(_REMEMBERED_MAX)
def dataset_id(team: str, env: str, slug: str) -> str:
    """24 hex digits that name the dataset in records, manifests and objects."""
    return _derive("dataset", team, env, slug).hex()[:24]


def column_id(dataset: str, name: str) -> str:
    """11 hex digits that name a column in the API."""
    return _derive("column", dataset, name).hex()[:11]


def resource_id(kind: str, env: str, dataset: str, name: str) -> str:
    """11 hex digits that name the resource of a kind that has this name in its scope."""
    return _derive("resource", kind, env, dataset, name).hex()[:11]


def client_batch_id(env: str, dataset: str, client_id: str, chunk: int) -> bytes:
    """The 16-byte batch id of the `chunk`-th record of a request that a client named itself."""
    return _derive("batch", env, dataset, client_id, str(chunk))[:16]
