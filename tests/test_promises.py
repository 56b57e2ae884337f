"""docs/promises.md names every invariant and only tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "docs" / "promises.md").read_text("utf-8")


def test_every_invariant_of_the_design_has_its_promise() -> None:
    design = (ROOT / "docs" / "design.md").read_text("utf-8")
    numbers = re.findall(r"^\| (I\d+) \|", design, re.MULTILINE)
    assert numbers
    assert re.findall(r"^## (I\d+) ", TEXT, re.MULTILINE) == numbers


def test_every_test_that_is_named_is_there() -> None:
    named = [
        name
        for line in re.findall(r"\*\*Tried by\*\*:(.*?)(?=\n- \*\*|\n\n)", TEXT, re.DOTALL)
        for name in re.findall(r"`([\w/*]+(?:\.py|/))`", line)
    ]
    assert len(named) > 40
    missing = [name for name in named if not list((ROOT / "tests").glob(name.rstrip("/")))]
    assert not missing
