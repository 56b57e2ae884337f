"""One signature for one fault on two builds, another for another fault with the same message."""

import json
import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.signature import rust
from common.signature.mangled import readable
from common.signature.signature import signature
from tests.common.signature.produce import FAULTS, STACKS

PRODUCED: Final[dict[str, dict[str, list[str]]]] = json.loads(STACKS.read_text())
FORMS: Final = sorted(PRODUCED)


@pytest.mark.parametrize("form", FORMS)
def test_two_builds_of_one_fault_have_one_signature(form: str) -> None:
    for fault in FAULTS:
        first, second = PRODUCED[form][fault]
        assert first != second
        assert signature(first) == signature(second)


@pytest.mark.parametrize("form", FORMS)
def test_two_faults_with_one_message_have_two_signatures(form: str) -> None:
    one, other = (signature(PRODUCED[form][fault][0]) for fault in FAULTS)
    assert one != other
    assert re.search(r"\bparse\b", one)
    assert re.search(r"\bprice\b", other)


@pytest.mark.parametrize("form", FORMS)
def test_a_signature_has_no_message_no_number_and_no_frame_of_the_runtime(form: str) -> None:
    found = signature(PRODUCED[form]["parse"][0])
    head, _, frames = found.partition(" in ")
    assert head.startswith("v1 ")
    assert not re.search(
        r"0x|:\d|bad amount|request failed|\bstd::|java\.util|json\.|node:", frames
    )
    assert 2 <= len(frames.split(" < ")) <= 5


def test_the_type_of_the_event_counts_where_the_stack_has_none() -> None:
    stack = PRODUCED["c, backtrace"]["parse"][0]
    assert signature(stack, "Abort").startswith("v1 Abort in parse < handle")
    assert signature("", "KeyError") == "v1 KeyError"
    assert signature("", "") == ""


def test_a_cause_has_the_signature_of_the_fault_that_it_is() -> None:
    alone = signature(PRODUCED["java"]["parse"][0])
    caused = signature(PRODUCED["java, a cause"]["parse"][0])
    assert alone.startswith(caused)  # Java leaves out the frames that both stacks have


def test_how_often_a_function_called_itself_is_no_part() -> None:
    def stack(depth: int) -> str:
        inner = '  File "/srv/tree.py", line 3, in visit\n    visit(node)\n' * depth
        head = 'Traceback (most recent call last):\n  File "/srv/tree.py", line 9, in main\n'
        return f"{head}{inner}KeyError: 'x'\n"

    assert signature(stack(1)) == signature(stack(40)) == "v1 KeyError in tree.visit < tree.main"


def test_methods_of_methods_are_read_a_few_deep(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    closing = rust._closing

    def counted(name: str) -> int:
        read.append(name)
        return closing(name)

    monkeypatch.setattr(rust, "_closing", counted)
    deep = "".join(["<"] * 900) + "shop::Cart" + " as T>" * 90
    assert signature(f"stack backtrace:\n   0: {deep}::price\n").startswith("v1 ")
    assert len(read) < 20  # each reads the whole line
    assert (
        signature("stack backtrace:\n   0: <<a::B as c::D>::E as f::G>::h\n")
        == "v1 error in a::B::E::h"
    )


def test_closures_in_each_other_are_read_a_dozen_deep() -> None:
    goroutine = "panic: x\n\ngoroutine 1 [running]:\nshop.parse%s(0x1)\n\tshop.go:1\n"
    assert signature(goroutine % (".func1" * 12)) == "v1 panic in shop.parse.func"
    deep = signature(goroutine % (".func1" * 100))
    assert deep.startswith("v1 panic in shop.parse.func1")


def test_text_that_is_no_stack_keeps_its_words_without_numbers_and_ids() -> None:
    first = "disk 7 failed at 0x7ffe12\nrequest 6f1c2a7e-0f1e-4a3b-9c5d-1e2f3a4b5c6d"
    other = "disk 12 failed at 0x7fff00\nrequest 00112233-4455-6677-8899-aabbccddeeff"
    assert signature(first) == signature(other) == "v1 error in disk # failed at # < request #"


@pytest.mark.parametrize(
    ("mangled", "name"),
    [
        ("_ZN4shop5parseISt6vectorIiSaIiEEEEiRKT_", "shop::parse"),
        ("_ZNK4shop6Server6handleEv", "shop::Server::handle"),
        ("_ZZNK4shop6Server6handleEvENKUliE_clEi", "shop::Server::handle::lambda"),
        ("_ZN4shop3BoxISt4pairIiLi5EEE3getEv", "shop::Box::get"),
        ("_ZN4shop3BoxIiEC2Ev", "shop::Box::Box"),
        ("_ZN12_GLOBAL__N_15parseEv", "anonymous::parse"),
        ("_Z5parsePKc", "parse"),
        ("_ZSt9terminatev", "std::terminate"),
        ("_ZN99x", "_ZN99x"),
        ("_Z0", "_Z0"),
        ("parse", "parse"),
    ],
)
def test_names_of_programs_are_read_as_far_as_needed(mangled: str, name: str) -> None:
    assert readable(mangled) == name


@given(st.text(max_size=300) | st.sampled_from(FORMS).map(lambda form: PRODUCED[form]["parse"][0]))
def test_any_text_has_a_short_signature_that_is_always_the_same(text: str) -> None:
    found = signature(text)
    assert found == signature(text)
    assert len(found) < 800
    assert "\n" not in found


@given(st.sampled_from(FORMS), st.data())
def test_a_stack_that_is_cut_off_or_damaged_is_no_error(form: str, data: st.DataObject) -> None:
    stack = PRODUCED[form]["parse"][0]
    at = data.draw(st.integers(0, len(stack)))
    end = data.draw(st.integers(at, len(stack)))
    found = signature(stack[:at] + stack[end:])
    assert found == "" or found.startswith("v1 ")
    assert readable("_Z" + stack[at:end]) != ""
