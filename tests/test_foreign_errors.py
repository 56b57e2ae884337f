"""No room tells the text of an exception that it did not write: read from the sources.

Within `except ... as error` nothing may quote the error by `repr`, nor, where the clause catches
exceptions of anybody, of an HTTP client or of DuckDB, by `str` or within an f-string.
`describe_error` is how it is told.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "shepherd", "indexer", "snapshot", "query", "assistant", "ops", "segment", "common",
    "bellwether",
)  # fmt: skip
COMPILERS = ("common/kernels/background.py",)  # they see our code alone, and their texts are needed
FOREIGN = {"Exception", "BaseException", "aiohttp.ClientError", "ClientResponseError"} | {
    "duckdb.Error"
}


def caught(handler: ast.ExceptHandler, aiohttp_names: set[str]) -> bool:
    """Whether the clause catches what quotes foreign text without asking."""
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(ast.unparse(one) in FOREIGN | aiohttp_names for one in types if one is not None)


def names_from_aiohttp(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "aiohttp"
        for alias in node.names
    }


def faults(source: str) -> Iterator[int]:
    """Lines that quote an exception."""
    tree = ast.parse(source)
    from_aiohttp = names_from_aiohttp(tree)
    for handler in ast.walk(tree):
        if not isinstance(handler, ast.ExceptHandler) or handler.name is None:
            continue
        foreign = caught(handler, from_aiohttp)
        for node in (inner for part in handler.body for inner in ast.walk(part)):
            quoted = None
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                if node.func.id == "repr" or (foreign and node.func.id == "str"):
                    quoted = node.args[0]
            elif isinstance(node, ast.FormattedValue) and (foreign or node.conversion == ord("r")):
                quoted = node.value
            if isinstance(quoted, ast.Name) and quoted.id == handler.name:
                yield quoted.lineno


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_quotes_exceptions(room: str) -> None:
    files = sorted((ROOT / room).rglob("*.py"))
    assert files
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        if str(path.relative_to(ROOT)) not in COMPILERS
        for line in faults(path.read_text("utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    ("clause", "quote", "is_fault"),
    [
        ("aiohttp.ClientError", "repr(error)", True),
        ("duckdb.Error", "f'not computed: {error}'", True),
        ("ValueError", "f'{error!r}'", True),
        ("(aiohttp.ClientError, OSError)", "f'no answer: {error}'", True),
        ("Exception", "str(error)", True),
        ("Exception", "describe_error(error)", False),
        ("ValueError", "str(error)", False),
    ],
)
def test_the_check_sees_what_it_should(clause: str, quote: str, is_fault: bool) -> None:
    source = f"try:\n    work()\nexcept {clause} as error:\n    say({quote})\n"
    assert bool(list(faults(source))) is is_fault
