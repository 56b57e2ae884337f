"""All datasets of an environment, as people type them and as the API names them."""

from typing import Final

from common.model.names import ALL_DATASETS

_TYPED: Final = "*"


def dataset_named(typed: str) -> str:
    """The dataset that a command's argument names: of `*` ALL_DATASETS."""
    return ALL_DATASETS if typed == _TYPED else typed


def as_typed(dataset: str) -> str:
    """A dataset as people name it."""
    return _TYPED if dataset == ALL_DATASETS else dataset
