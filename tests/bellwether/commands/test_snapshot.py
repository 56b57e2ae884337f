"""`bellwether snapshot` calls nothing covered that is not (I4)."""

from bellwether.commands.operate.snapshot import outcomes


def told(published: bool, why: str = "") -> dict[str, object]:
    manifest = "manifests/0" if published else None
    return {"published": published, "manifest": manifest, "why": why, "marker": 1}


def test_one_of_a_partitions_indexers_is_enough_and_every_partition_is_told_of() -> None:
    document = {
        "partitions": 4,
        "indexers": [
            {"indexer": "a", "answer": {"partitions": {"0": told(True), "1": told(False, "late")}}},
            {"indexer": "b", "answer": {"partitions": {"0": told(False), "2": told(True)}}},
        ],
    }
    found = outcomes(document)
    assert [(one.partition, one.done) for one in found] == [
        (0, True),
        (1, False),
        (2, True),
        (3, False),
    ]
    assert found[1].text == "a: late"
    assert found[3].text == "no indexer holds it"


def test_partition_without_events_has_nothing_to_cover_and_is_no_failure() -> None:
    answer = {"published": True, "manifest": None, "why": "", "marker": 1}
    document = {
        "partitions": 1,
        "indexers": [{"indexer": "a", "answer": {"partitions": {"0": answer}}}],
    }
    (one,) = outcomes(document)
    assert (one.done, one.text) == (True, "nothing to cover yet, by a")


def test_silent_indexer_is_named_for_what_nobody_else_published() -> None:
    document = {"partitions": 1, "indexers": [{"indexer": "a", "error": "timed out"}]}
    (one,) = outcomes(document)
    assert (one.done, one.text) == (False, "a: timed out")
