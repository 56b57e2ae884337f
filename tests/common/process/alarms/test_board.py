"""Alarms are raised and cleared on a board, which reports each beginning and each end once."""

import ast
from pathlib import Path

import pytest

from common.clock import ManualClock
from common.metrics import alarm_raised
from common.process.alarms.board import AlarmBoard, RaisedAlarm
from common.process.alarms.declared import ALARMS, Severity

ROOT = Path(__file__).resolve().parents[4]


def test_an_alarm_begins_once_whatever_its_text_says_meanwhile() -> None:
    clock = ManualClock()
    board, reported = AlarmBoard(clock), []
    board.listen(lambda raised, begins: reported.append((raised.key, raised.text, begins)))
    board.set("gap", "one", 3)
    clock.advance_ms(5)
    board.set("gap", "two", 3)
    assert board.of(3) == {"gap": "two"}
    assert board.raised[0].since_ns == clock.now_ns() - 5_000_000
    assert alarm_raised.labels("3", "gap")._value.get() == 1
    board.set("gap", None, 3)
    board.set("gap", None, 3)
    assert reported == [(("gap", "3"), "one", True), (("gap", "3"), "two", False)]
    assert alarm_raised.labels("3", "gap")._value.get() == 0


def test_partitions_and_the_process_have_alarms_of_their_own() -> None:
    board = AlarmBoard(ManualClock())
    board.set("gap", "a", 1)
    board.set("gap", "b", 2)
    board.set("pushes_back", "c")
    assert (board.of(1), board.of(2)) == ({"gap": "a"}, {"gap": "b"})
    board.forget(1)
    assert [raised.key for raised in board.raised] == [("gap", "2"), ("pushes_back", "")]
    shown = board.describe()
    assert [entry["partition"] for entry in shown] == [2, None]
    assert shown[0]["remedy"] == ALARMS["gap"].remedy


def test_an_alarm_that_is_not_declared_cannot_be_raised() -> None:
    with pytest.raises(KeyError):
        AlarmBoard(ManualClock()).set("no_such_alarm", "text")


def test_every_alarm_says_what_to_do() -> None:
    for name, alarm in ALARMS.items():
        assert name == alarm.name
        assert name.replace("_", "").isalpha()
        assert name.islower()
        assert alarm.meaning.endswith(".")
        assert alarm.remedy.strip()
        assert alarm.severity in Severity
        assert alarm.for_s >= 0


def raised_in_code() -> set[str]:
    """Every text in quotes within the rooms; an alarm that nothing raises is not among them."""
    found: set[str] = set()
    rooms = ("shepherd", "indexer", "query", "assistant", "ops", "bellwether", "segment", "common")
    for room in rooms:
        for path in (ROOT / room).rglob("*.py"):
            if path.name == "declared.py":
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def test_no_alarm_is_declared_that_nothing_raises() -> None:
    own = {name for name, alarm in ALARMS.items() if not alarm.expression}
    assert own <= raised_in_code(), own - raised_in_code()


def test_a_listener_is_told_the_alarm_itself() -> None:
    board = AlarmBoard(ManualClock())
    reported: list[RaisedAlarm] = []
    board.listen(lambda raised, begins: reported.append(raised))
    board.set("gap", "text", 1)
    assert reported == list(board.raised)
