"""Whoever installs what `requirements.txt` pins, and nothing else, can run every command.

Stubs and tools for tests are in other files: a module that needs one of them while it runs would
work here and nowhere else.
"""

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "compose",
    "bellwether",
    "shepherd",
    "indexer",
    "snapshot",
    "query",
    "assistant",
    "ops",
    "segment",
    "common",
)
FILES = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def runtime_imports(tree: ast.AST) -> Iterator[str]:
    """Top-level names of what is imported when the program runs, wherever the import stands."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0]
        yield from runtime_imports(node)


def pinned() -> set[str]:
    """The distributions of requirements.txt, in one spelling."""
    text = (ROOT / "requirements.txt").read_text("utf-8")
    return {spelled(name) for name in re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE)}


def spelled(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("room", ROOMS)
def test_every_import_is_of_what_a_user_installs(room: str) -> None:
    provided, there = packages_distributions(), pinned()
    missing = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        if path.relative_to(ROOT).parts[0] == room
        for name in runtime_imports(ast.parse(path.read_text("utf-8")))
        if name not in sys.stdlib_module_names and name not in ROOMS
        if not there & {spelled(found) for found in provided.get(name, ())}
    }
    assert missing == set()
