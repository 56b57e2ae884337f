"""Files, folders and modules that documents name in backticks are in the tree."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("docs/adr/*.md")),
]
PACKAGES = "|".join(sorted(path.parent.name for path in ROOT.glob("*/__init__.py")))
FILES = {path.name for folder in PACKAGES.split("|") for path in (ROOT / folder).rglob("*.py")}
SETTINGS = {
    f"{section}.{name}"
    for section, table in re.findall(
        r"^## \[(\w+)\]\n(.*?)(?=^## |\Z)",
        (ROOT / "docs" / "settings.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    for name in re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
}

# A folder that a command makes, and keys in a Parquet file's footer.
OTHERS = {"compose/secrets/", "bellwether.rest_columns", "bellwether.rewritten"}


def _is_path(name: str) -> bool:
    """Names from the root or from tests/; a file's name alone stands beside its folder's."""
    if "/" not in name:
        return name in FILES or (ROOT / name).exists()
    return any(any(root.glob(name.rstrip("/"))) for root in (ROOT, ROOT / "tests"))


def _missing(code: str) -> list[str]:
    """What a text in backticks names that is not there."""
    paths = set(re.findall(r"[\w*./-]+\.py\b", code))
    paths.update(re.findall(rf"^(?:{PACKAGES})/[\w/]+$", code))
    modules = set(re.findall(rf"-m ((?:{PACKAGES})\b[.\w]*)", code))
    modules.update(re.findall(rf"^(?:{PACKAGES})(?:\.[a-z_0-9]+)+$", code))
    for module in modules - SETTINGS:
        file = f"./{module.replace('.', '/')}.py"
        if not _is_path(file.removesuffix(".py")) and not _is_path(file):
            paths.add(module)
    return [path for path in paths - OTHERS if not _is_path(path)]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_file_and_module_that_is_named_is_there(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    missing = [name for code in re.findall(r"`([^`\n]+)`", text) for name in _missing(code)]
    assert not missing
