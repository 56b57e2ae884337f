"""Facts of fields merge alike however the sources are split, and pages leave no field out."""

from hypothesis import given, settings
from hypothesis import strategies as st

from common import limits
from query.wire.field_facts import (
    FieldFacts,
    FieldFactsPage,
    FieldFactsRequest,
    TypeFacts,
    merge_fact_pages,
    merge_facts,
    page_of,
)

_HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=4, unique=True)


@st.composite
def source(draw: st.DrawFn) -> list[FieldFacts]:
    found = []
    for name in sorted(draw(st.sets(st.sampled_from("abcdef"), max_size=4))):
        rows, value = draw(st.integers(1, 9)), draw(st.integers(-3, 3))
        hashes = b"".join(one.to_bytes(8, "little") for one in sorted(draw(_HASHES)))
        first = draw(st.integers(1, 99))
        found.append(
            FieldFacts(
                name, {"i": TypeFacts(rows, 8 * rows, value, value + 1)}, [("i", value, rows)],
                hashes=hashes, distinct_least=1, stored_bytes=rows, first_ns=first,
                last_ns=first + rows,
            )
        )  # fmt: skip
    return found


@settings(deadline=None)
@given(st.lists(source(), min_size=1, max_size=5), st.integers(0, 5))
def test_merging_in_parts_is_merging_at_once(sources: list[list[FieldFacts]], cut: int) -> None:
    parts = [merge_facts(sources[:cut]), merge_facts(sources[cut:])]
    assert merge_facts(parts) == merge_facts(merge_facts([one]) for one in sources)


@settings(deadline=None)
@given(st.lists(source(), min_size=1, max_size=3), st.integers(1, 3))
def test_pages_of_several_indexers_have_each_field_once(
    sources: list[list[FieldFacts]], size: int
) -> None:
    found: list[FieldFacts] = []
    after: str | None = None
    while True:
        asked = FieldFactsRequest("d", (0,), after, size)
        pages = [FieldFactsPage([], *page_of(one, asked)) for one in sources]
        page = merge_fact_pages(pages, size)
        found += page.fields
        if not page.more:
            break
        after = page.fields[-1].name
    assert found == merge_facts(sources)


def test_many_values_are_estimated_from_the_smallest_hashes() -> None:
    spread = 2**64 // 10_000
    hashes = b"".join((n * spread).to_bytes(8, "little") for n in range(limits.FIELD_FACTS_HASHES))
    facts = FieldFacts("a", {"i": TypeFacts(10_000)}, hashes=hashes, few=False)
    assert abs(facts.distinct - 10_000) < 200
