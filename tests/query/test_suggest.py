"""Names near to one that is not known."""

from pathlib import Path

import pytest

from common.metadata import Dataset
from common.metadata.sqlite import SqliteMetadata
from query.suggest import dataset_hint, did_you_mean, near_names

FIELDS = ["status", "status_code", "state", "duration_ms", "http.route", "trace.trace_id", "Ünï"]


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [
        ("statsu", "status"),
        ("Status", "status"),
        ("STATUS_CODE", "status_code"),
        ("duration", "duration_ms"),
        ("route", "http.route"),
        ("trace_id", "trace.trace_id"),
        ("ünï", "Ünï"),
        ("stauts", "status"),
    ],
)
def test_the_nearest_name_comes_first(wanted: str, nearest: str) -> None:
    assert near_names(wanted, FIELDS)[0] == nearest


@pytest.mark.parametrize("wanted", ["", "x", "zebra", "q" * 5_000])
def test_a_name_like_no_other_has_none_near(wanted: str) -> None:
    assert near_names(wanted, FIELDS) == []


def test_a_known_name_is_not_near_to_itself() -> None:
    assert "status" not in near_names("status", FIELDS)


def test_several_names_are_listed_in_words() -> None:
    assert did_you_mean([]) == ""
    assert did_you_mean(["a"]) == "did you mean `a`?"
    assert did_you_mean(["a", "b", "c"]) == "did you mean `a`, `b` or `c`?"


def test_a_datasets_hint_names_slugs_of_its_environment_alone(tmp_path: Path) -> None:
    metadata = SqliteMetadata(tmp_path / "meta.db")
    metadata.open()
    for number, (env, name) in enumerate(
        [("e", "My Web"), ("e", "api"), ("f", "wed"), ("h", "Fast!")]
    ):
        metadata.ensure_dataset(Dataset(str(number), env, name.lower().replace(" ", "-"), name))
    assert dataset_hint(metadata, "e", "My wbe").endswith('did you mean "my-web"?')
    assert dataset_hint(metadata, "e", "pai").endswith('did you mean "api"?')
    assert "it has api, my-web" in dataset_hint(metadata, "e", "zebra")
    assert "wed" not in dataset_hint(metadata, "e", "web")
    assert dataset_hint(metadata, "h", "fsat-").endswith('did you mean "fast-"?')
    assert "nor any other yet" in dataset_hint(metadata, "g", "web")
    metadata.close()
