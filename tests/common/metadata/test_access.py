"""Rights of keys as the databases store them: old and new programs read each other's."""

from dataclasses import replace

from common.metadata import Access
from common.metadata.rows import decode_access, encode_access

OLD_NAMES = {"events", "queries", "columns", "create_datasets", "admin"}


def test_rights_come_back_as_they_were() -> None:
    for access in (Access(), Access(events=False, queries=True, admin=True, operate=True)):
        assert decode_access(encode_access(access)) == access


def test_rights_stored_before_operate_was_one_do_not_include_it() -> None:
    old = '{"events":true,"queries":true,"columns":true,"create_datasets":true,"admin":true}'
    assert decode_access(old) == Access(queries=True, columns=True, admin=True)
    assert not decode_access(old).operate


def test_older_programs_find_no_name_that_they_do_not_know() -> None:
    access = Access(queries=True)
    assert set(decode_names(encode_access(access))) == OLD_NAMES
    assert set(decode_names(encode_access(replace(access, operate=True)))) == {
        *OLD_NAMES,
        "operate",
    }


def test_rights_of_a_newer_program_are_passed_over() -> None:
    assert decode_access('{"queries":true,"fly":true}') == Access(queries=True)


def decode_names(text: str) -> list[str]:
    import json

    return list(json.loads(text))
