"""Finds the dataset of a name, and the name of a dataset in URLs.

A dataset has a slug, which is unique and from which its id is derived, and possibly a second name,
which the vendor uses in URLs: `mydataset-` for `MyDataset!`. A slug takes precedence. A second name
that several datasets have is ambiguous and finds none of them.
"""

from collections import Counter
from collections.abc import Iterable

from common.errors import Conflict
from common.metadata.interface import Dataset, Environment, Metadata, Team
from common.model.names import dataset_id, dataset_slug, url_slug

_NAMED_MAX = 5  # datasets that an error names


class AmbiguousDataset(Conflict):
    """A name that is the second name of several datasets."""

    def __init__(self, name: str, named: list[Dataset]) -> None:
        names = ", ".join(repr(dataset.name) for dataset in named[:_NAMED_MAX])
        more = f" and {len(named) - _NAMED_MAX} others" if len(named) > _NAMED_MAX else ""
        super().__init__(
            f"{name!r} is the slug of several datasets, {names}{more}: use the name of one of them"
        )


def find_dataset(
    metadata: Metadata, team: Team, environment: Environment, name: str
) -> Dataset | None:
    """The dataset of this name, in any case, or the only one that has it as its second name.

    Raises BadDatasetName, AmbiguousDataset, MetadataUnavailable.
    """
    slug = dataset_slug(name)
    found = metadata.get_dataset(dataset_id(team.id, environment.id, slug))
    if found is not None or not may_be_second_name(slug):
        return found
    named = metadata.find_by_url_slug(environment.id, slug)
    if len(named) > 1:
        raise AmbiguousDataset(name, named)
    return named[0] if named else None


def may_be_second_name(slug: str) -> bool:
    """Whether a dataset with another slug than this one can have it as its second name."""
    return "-" in slug and url_slug(slug) == slug


def shown_slug(metadata: Metadata, dataset: Dataset) -> str:
    """The name that URLs are made with: the second name if it means this dataset and no other,
    else the slug. Raises MetadataUnavailable.
    """
    second = url_slug(dataset.slug)
    if second == dataset.slug or len(metadata.find_by_url_slug(dataset.env_id, second)) > 1:
        return dataset.slug
    return second


def shown_slugs(metadata: Metadata, datasets: Iterable[Dataset]) -> dict[str, str]:
    """As `shown_slug`, for several datasets of one environment, by id; one query at most."""
    datasets = list(datasets)
    if all(url_slug(one.slug) == one.slug for one in datasets):
        return {one.id: one.slug for one in datasets}
    known = metadata.list_datasets(datasets[0].env_id)
    datasets_by_slug = Counter(url_slug(one.slug) for one in known)
    return {
        one.id: one.slug if datasets_by_slug[second] > 1 else second
        for one in datasets
        for second in (url_slug(one.slug),)
    }
