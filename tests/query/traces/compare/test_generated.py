"""Known edits are found, and nothing else is told: 200 generated pairs of 5 to 5,000 spans."""

from collections import Counter
from random import Random

from query.traces.compare.differences import What, compare
from query.traces.compare.reference import reference_of
from tests.query.traces.compare.generated import Edited, edited, rendered, tree

SIZES = (*[5] * 20, *[20] * 60, *[60] * 60, *[300] * 50, *[1_000] * 8, *[5_000] * 2)
AIM = 0.95


def told(pair: Edited) -> Counter[tuple[What, int]]:
    """The differences by what they are and by the mark of the step."""
    found: Counter[tuple[What, int]] = Counter()
    for one in compare(reference_of([pair.good]), pair.bad):
        marks = pair.good_marks if one.what is What.MISSING else pair.bad_marks
        found[one.what, marks[one.span.span_id]] += 1
    return found


def repeated_alike(pair: Edited, found: Counter[tuple[What, int]]) -> Counter[tuple[What, int]]:
    """Of equal steps in a row any may be told to be the repeated one: the planted one is meant."""
    names = {pair.bad_marks[span.span_id]: (span.parent, span.key) for span in pair.bad.spans}
    planted = {names[mark]: mark for what, mark in pair.edits if what is What.REPEATED}
    renamed: Counter[tuple[What, int]] = Counter()
    for (what, mark), count in found.items():
        own = planted.get(names[mark], mark) if what is What.REPEATED else mark
        renamed[what, own] += count
    return renamed


def test_recall_and_precision_over_generated_pairs() -> None:
    hits: Counter[What] = Counter()
    planted: Counter[What] = Counter()
    reported: Counter[What] = Counter()
    for seed, size in enumerate(SIZES):
        pair = edited(seed, size, edits=1 + seed % 4)
        found = repeated_alike(pair, told(pair))
        planted.update(what for what, _ in pair.edits)
        reported.update(dict.fromkeys(What, 0))
        for (what, mark), count in found.items():
            reported[what] += count
            hits[what] += (what, mark) in pair.edits
    recall = hits.total() / planted.total()
    precision = hits.total() / reported.total()
    for what in What:
        print(what, "planted", planted[what], "told", reported[what], "right", hits[what])
    print(f"recall {recall:.3f}, precision {precision:.3f}, {planted.total()} edits")
    assert planted.total() > 300
    assert recall >= AIM
    assert precision >= AIM


def test_traces_that_differ_in_the_order_of_threads_alone_do_not_differ() -> None:
    for seed in range(40):
        chance = Random(seed)
        root = tree(chance, 60)
        first, _ = rendered(chance, root, "one")
        second, _ = rendered(chance, root, "other")
        assert compare(reference_of([first]), second) == []
