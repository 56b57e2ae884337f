"""The roster: numbered documents, of which the newest counts; none of them names an object."""

from pathlib import Path

from common import limits
from common.objects.directory import DirectoryObjects
from snapshot.documents.roster import PREFIX, Place, Roster, RosterBook, with_seen
from snapshot.unnamed.names import Names


def test_a_second_writer_of_one_number_has_to_begin_anew(tmp_path: Path) -> None:
    book = RosterBook(DirectoryObjects(tmp_path))
    assert book.read() == Roster()
    first = book.write(with_seen(Roster(), {"indexer/a/0": 2}, 5), "one", 5)
    assert first is not None
    assert book.write(with_seen(Roster(), {"indexer/b/0": 1}, 5), "other", 5) is None
    assert book.read() == first
    assert first.places == {"indexer/a/0": Place(2, 5)}


def test_a_damaged_one_is_passed_over_and_few_are_kept(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path)
    book, roster = RosterBook(objects), Roster()
    for time_ns in range(1, limits.ROSTERS_KEPT + 4):
        written = book.write(with_seen(roster, {f"query/{time_ns}/0": 1}, time_ns), "one", time_ns)
        assert written is not None
        roster = written
    keys = [info.key for info in objects.list(PREFIX)]
    assert len(keys) == limits.ROSTERS_KEPT
    objects.replace(keys[-1], b"{}")
    found = book.read()
    assert found.places.keys() == roster.places.keys() - {f"query/{limits.ROSTERS_KEPT + 3}/0"}
    again = book.write(with_seen(found, {"query/new/0": 2}, 99), "one", 99)
    assert again is not None  # one that is damaged does not keep out those after it
    assert book.read() == again


def test_its_documents_are_known_to_who_looks_for_unnamed_objects(tmp_path: Path) -> None:
    objects = DirectoryObjects(tmp_path)
    assert RosterBook(objects).write(Roster(), "one", 1) is not None
    names = Names(objects)
    names.refresh()
    assert names.unreadable == []
