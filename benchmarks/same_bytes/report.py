"""Findings of two builds by name, compared: one line for each set of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_AROUND = 60  # characters shown before the first difference, twice as many from there on


@dataclass
class Report:
    """Counts what differs.

    shown: differences to print of each set.
    folder: where both versions of everything that differs are written; None: nowhere.
    without: names and lines in which this is found are left out; they are meant to differ.
    """

    shown: int = 1
    folder: Path | None = None
    without: re.Pattern[str] | None = None
    differences: int = 0
    compared: int = 0

    def compare(self, what: str, mine: Mapping[str, str], theirs: Mapping[str, str]) -> None:
        """Print `same`, or the first differences. Nothing at all to compare is a difference."""
        mine, theirs = self._wanted(mine), self._wanted(theirs)
        names = list(dict.fromkeys((*mine, *theirs)))
        wrong = [name for name in names if mine.get(name) != theirs.get(name)]
        self.compared += len(names)
        if not wrong and names:
            print(f"same       {what}: {len(names)}", flush=True)
            return
        self.differences += len(wrong) or 1
        print(f"DIFFERENT  {what}: {len(wrong)} of {len(names)}", flush=True)
        for name in wrong[: self.shown]:
            print(f"    {name}")
            for line in first_difference(mine.get(name), theirs.get(name)):
                print(f"      {line}")
        if self.folder is not None:
            self._write(what, wrong, mine, theirs)

    def expect(self, what: str, problems: Mapping[str, str]) -> None:
        """Print `same` if there is no problem."""
        names = problems or {"all is well": ""}
        self.compare(what, dict.fromkeys(names, ""), {**names})

    def _wanted(self, found: Mapping[str, str]) -> Mapping[str, str]:
        if self.without is None:
            return found
        search = self.without.search
        return {
            name: "\n".join(line for line in text.split("\n") if not search(line))
            for name, text in found.items()
            if not search(name)
        }

    def _write(
        self, what: str, names: list[str], mine: Mapping[str, str], theirs: Mapping[str, str]
    ) -> None:
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        for build, found in (("this", mine), ("other", theirs)):
            text = "".join(f"==== {name}\n{found.get(name, '(nothing)')}\n" for name in names)
            (self.folder / f"{what.replace(' ', '-').replace('/', '-')}.{build}").write_text(text)


def first_difference(mine: str | None, theirs: str | None) -> list[str]:
    """Both texts around the first place where they differ."""
    if mine is None or theirs is None:
        there = mine if theirs is None else theirs
        return [f"only in {'this' if theirs is None else 'other'}: {(there or '')[:200]!r}"]
    pairs = zip(mine, theirs, strict=False)
    at = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(mine), len(theirs)))
    begin, end = max(0, at - _AROUND), at + 2 * _AROUND
    return [f"this:  {mine[begin:end]!r}", f"other: {theirs[begin:end]!r}"]
