"""Datasets as operators name them: by slug, with the environment's where there are several."""

import contextlib
import difflib

import click

from common.metadata import Metadata
from common.metadata.lookup import find_dataset, shown_slugs
from common.model.names import BadDatasetName


def dataset_names(metadata: Metadata) -> dict[str, str]:
    """Name by dataset id: the slug, or `environment/slug` where there are several environments.

    Raises MetadataUnavailable.
    """
    places = metadata.list_environments()
    return {
        dataset: slug if len(places) == 1 else f"{environment.slug}/{slug}"
        for _, environment in places
        for dataset, slug in shown_slugs(metadata, metadata.list_datasets(environment.id)).items()
    }


def named_dataset(metadata: Metadata, names: dict[str, str], name: str) -> str:
    """The id of the dataset that is named as in `names`, by a name that only one environment knows,
    or by its id. Raises ClickException, MetadataUnavailable.
    """
    found = {one for one, shown in names.items() if name in (one, shown)}
    if not found:
        for team, environment in metadata.list_environments():
            with contextlib.suppress(BadDatasetName):
                named = find_dataset(metadata, team, environment, name)
                found |= set() if named is None else {named.id}
    if not found:
        near = difflib.get_close_matches(name, names.values(), n=2)
        hint = (
            f"did you mean {' or '.join(near)}?" if near else "`bellwether datasets list` has them"
        )
        raise click.ClickException(f"there is no dataset {name}; {hint}")
    if len(found) > 1:
        shown = ", ".join(sorted(names.get(one, one) for one in found))
        raise click.ClickException(f"{name} may be one of {shown}: say which")
    return found.pop()
