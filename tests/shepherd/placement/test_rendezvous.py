"""Which partitions a dataset uses, in which order, and the quantiles that placing judges by."""

from hypothesis import given
from hypothesis import strategies as st

from shepherd.placement.latency import DecayingQuantiles
from shepherd.placement.rendezvous import DatasetRates, rendezvous_order
from tests.shepherd.placement.virtual import SECOND


def test_dataset_gets_more_partitions_with_its_rate_and_keeps_a_few() -> None:
    datasets = DatasetRates(32)
    order, count = datasets.count_bytes("d", 1000, 0)
    assert count == 3
    for second in range(120):
        order, count = datasets.count_bytes("d", 2_000_000, second * SECOND)
    assert count == 8
    _, count = datasets.count_bytes("d", 0, 125 * SECOND)
    assert count == 8
    _, count = datasets.count_bytes("d", 0, 400 * SECOND)
    assert count == 3
    assert order == rendezvous_order(b"d", 32)


@given(st.binary(max_size=40), st.integers(1, 200), st.integers(1, 50))
def test_order_of_a_key_has_each_partition_once_and_keeps_its_order_when_some_are_added(
    key: bytes, partitions: int, more: int
) -> None:
    before, after = rendezvous_order(key, partitions), rendezvous_order(key, partitions + more)
    assert sorted(before) == list(range(partitions))
    assert tuple(p for p in after if p < partitions) == before


def test_order_of_a_batch_id_never_changes() -> None:
    assert rendezvous_order(b"bellwether", 12) == (0, 3, 2, 9, 5, 7, 10, 11, 1, 4, 8, 6)


@given(st.lists(st.integers(10**6, 10**10), min_size=1, max_size=200))
def test_quantiles_are_within_a_bucket_of_the_truth(values: list[int]) -> None:
    quantiles = DecayingQuantiles(10 * SECOND, 0)
    for value in values:
        quantiles.add(value, 0)
    for q in (0.5, 0.9, 0.99):
        true = sorted(values)[max(0, -(-int(q * 100) * len(values) // 100) - 1)]
        assert true / 1.3 <= quantiles.quantile(q, 0) <= true * 1.3
