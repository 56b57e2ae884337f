"""The examples of docs/logs.md are read as the docs say."""

import io
import re
from pathlib import Path

import orjson
import pytest

from bellwether.send.formats.detect import detect
from bellwether.send.formats.registry import NAMES, reader_for

PAGE = (Path(__file__).parents[4] / "docs" / "logs.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
EXAMPLES = [
    (line, expected)
    for block in BLOCKS
    for line, expected in zip(block.splitlines()[::2], block.splitlines()[1::2], strict=True)
]


@pytest.mark.parametrize(("line", "expected"), EXAMPLES)
def test_examples_are_read_as_the_docs_say(line: str, expected: str) -> None:
    head = f"{line}\n".encode()
    items = list(reader_for(detect(head, "x.log"), head)(io.BytesIO(head)))
    assert [item.members for item in items] == [orjson.loads(expected)]


def test_every_format_is_in_the_docs() -> None:
    assert len(EXAMPLES) >= 9
    assert [name for name in NAMES if f"`{name}`" not in PAGE and f"--{name}" not in PAGE] == []
