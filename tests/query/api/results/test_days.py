"""Results are kept by days that ids tell, and removed by whole days; environments have shares."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import limits
from common.clock import Clock, ManualClock, SystemClock
from common.errors import DamagedObject
from common.model.clock_reading import ClockReading
from common.objects import ObjectStore
from common.objects.directory import DirectoryObjects
from query.api.results.days import ResultDays
from query.api.results.ids import DAY_NS, ResultId, day_of, new_id, parse_id
from query.api.results.stored import ResultDocument, decode_stored, encode_stored
from tests.query.api.results.conftest import Stores

MIB = 2**20


@given(st.integers(0, 65_535), st.text(max_size=30), st.integers(0, 2**64 - 1))
def test_an_id_tells_its_parts_and_its_key(day: int, instance: str, random: int) -> None:
    made = new_id(day * DAY_NS + 5, instance, random)
    assert parse_id(str(made)) == made
    assert day_of(made.key("e1")) == ("e1", day)


@pytest.mark.parametrize("text", ["", "x", "0" * 27, "0" * 29, "G" + "0" * 27, "٣" * 28])
def test_what_is_no_id_is_told_apart(text: str) -> None:
    assert parse_id(text) is None


class Store:
    """A store with results of some days; the clock is on the day `today`."""

    def __init__(self, objects: ObjectStore, share_bytes: int = MIB) -> None:
        self.objects = objects
        self.clock = ManualClock(SystemClock().now_ns())  # that of a real store is near it
        self.days = ResultDays(self.objects, self.clock, 86_400, share_bytes)
        self.today = self.clock.now_ns() // DAY_NS

    def put(self, env: str, ago: int, number: int = 0, size: int = 10) -> str:
        key = ResultId(self.today - ago, "0" * 8, f"{number:016x}").key(env)
        self.objects.put_if_absent(key, bytes(size))
        return key

    def keys(self) -> set[str]:
        return {info.key for info in self.objects.list("")}


def test_a_day_is_removed_when_all_of_its_results_are_over(stores: Stores) -> None:
    store = Store(stores())
    kept = {store.put("a", ago) for ago in (0, 1)} | {store.put("b", 1)}
    for ago in (2, 3, 30):
        store.put("a", ago)
    other = store.put("b", 0).replace("results/", "results/odd/")
    store.objects.put_if_absent(other, b"x")  # nothing that this program put there
    store.days.refresh()
    assert store.keys() == kept | {store.put("b", 0), other}


def test_the_oldest_days_make_room_and_today_is_never_removed(stores: Stores) -> None:
    store = Store(stores(), share_bytes=100_000)
    old = store.put("a", 1, size=40_000)
    mine = store.put("b", 1, size=90_000)
    assert store.days.make_room("a", 50_000, store.today)
    assert store.keys() == {old, mine}
    assert store.days.make_room("a", 40_000, store.today)
    assert store.keys() == {mine}  # another environment's are left alone
    assert not store.days.make_room("a", 40_000, store.today)
    assert store.days.make_room("b", 5_000, store.today)


def test_small_results_count_what_a_listing_of_them_costs(tmp_path: Path) -> None:
    store = Store(DirectoryObjects(tmp_path), share_bytes=10 * limits.RESULT_OBJECT_BYTES_MIN)
    fits = [store.days.make_room("a", 1, store.today) for _ in range(11)]
    assert fits == [True] * 10 + [False]


class StoreWithClock(DirectoryObjects):
    """A store whose clock is an hour behind ours."""

    def read_clock(self, clock: Clock) -> ClockReading | None:
        offset_ns = clock.now_ns() - clock.monotonic_ns() - 3_600 * 10**9
        return ClockReading("store", offset_ns, 0, elsewhere=True)


def test_nothing_is_removed_while_two_clocks_disagree(tmp_path: Path) -> None:
    store = Store(DirectoryObjects(tmp_path))
    old = store.put("a", 30)
    days = ResultDays(StoreWithClock(tmp_path), store.clock, 86_400, MIB)
    days.refresh()
    assert store.keys() == {old}


def document() -> ResultDocument:
    return ResultDocument(
        id="i",
        env="e",
        dataset="d",
        created_ns=5,
        query=msgspec.Raw(b'{"limit":3}'),
        body=msgspec.Raw(b'{"data":{"results":[1.0]}}'),
    )


def test_an_object_gives_back_the_bytes_of_its_result() -> None:
    found = decode_stored(encode_stored(document()), "k")
    assert bytes(found.body) == b'{"data":{"results":[1.0]}}'
    assert bytes(found.query) == b'{"limit":3}'
    assert (found.env, found.dataset, found.created_ns) == ("e", "d", 5)


def test_programs_that_know_no_columns_find_no_result_with_them() -> None:
    """They accept version 1 alone, and would send columns to whoever reads rows."""
    for form, version in (("rows", 1), ("columns", 2)):
        written = encode_stored(msgspec.structs.replace(document(), series_form=form))
        found = decode_stored(written, "k")
        assert (found.series_form, found.version) == (form, version)


@given(st.data())
def test_a_damaged_object_is_no_result(data: st.DataObject) -> None:
    whole = encode_stored(document())
    at = data.draw(st.integers(0, len(whole) - 1))
    cut = data.draw(st.booleans())
    wrong = whole[:at] if cut else whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]
    with pytest.raises(DamagedObject):
        decode_stored(wrong, "k")
