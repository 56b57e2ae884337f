"""Suggestions for an unknown name: similar names of datasets and fields.

Names are similar if they differ only in case, if one contains the other, or if they differ in a
few letters. The work is bounded by the number of known names.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from common import limits
from common.metadata import Metadata
from common.metadata.lookup import shown_slugs

_SHOWN: Final = 3
QUOTE: Final = '"'  # around names of datasets; fields are in backticks, as in queries
_RATIO_MIN: Final = 0.72  # of letters in common: `statsu` and `status` have 0.83
_CONTAINED_MIN: Final = 3  # letters: shorter ones are contained in too many names


def near_names(wanted: str, known: Iterable[str], most: int = _SHOWN) -> list[str]:
    """The known names most similar to the wanted one, best first; at most `most`."""
    folded = wanted.casefold()
    ranked: list[tuple[float, str]] = []
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(folded)
    for name in known:
        near = _nearness(folded, name.casefold(), matcher)
        if near > 0 and name != wanted:
            ranked.append((-near, name))
    return [name for _, name in sorted(ranked)[:most]]


def _nearness(wanted: str, name: str, matcher: "difflib.SequenceMatcher[str]") -> float:
    """From 0 (not similar) to 2 (the same but for its case)."""
    if name == wanted:
        return 2.0
    if name.rsplit(".", 1)[-1] == wanted:  # the last part of a dotted name
        return 1.5
    if 2 * len(name) < len(wanted) or len(name) > 4 * len(wanted) + 8:
        return 0.0
    short, long = sorted((wanted, name), key=len)
    if len(short) >= _CONTAINED_MIN and short in long:
        return 1.0 + len(short) / len(long) / 4
    if len(name) == len(wanted) and sorted(name) == sorted(wanted):  # two letters changed places
        return 0.95
    matcher.set_seq1(name)
    if matcher.real_quick_ratio() < _RATIO_MIN or matcher.quick_ratio() < _RATIO_MIN:
        return 0.0
    ratio = matcher.ratio()
    return ratio if ratio >= _RATIO_MIN else 0.0


def did_you_mean(near: Sequence[str], quote: str = "`") -> str:
    """`did you mean `status` or `state`?`; empty without similar names."""
    quoted = [f"{quote}{name}{quote}" for name in near]
    if not quoted:
        return ""
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return f"did you mean {listed}?"


def dataset_hint(metadata: Metadata, env_id: str, wanted: str) -> str:
    """An error text for a dataset that the environment does not have, with similar names.

    Blocks: it reads metadata. Raises MetadataUnavailable.
    """
    known = metadata.list_datasets(env_id, None, limits.SUGGEST_NAMES_MAX)
    shown = shown_slugs(metadata, known)
    slugs = {name: shown[one.id] for one in known for name in (one.name, one.slug, shown[one.id])}
    near = dict.fromkeys(slugs[name] for name in near_names(wanted, slugs))
    why = f'this environment has no dataset "{wanted}"'
    if near:
        return f"{why}; {did_you_mean(list(near), QUOTE)}"
    if not known:
        return f"{why}, nor any other yet: one begins with its first event"
    some = ", ".join(shown[one.id] for one in known[:_SHOWN])
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return f"{why}; it has {some}{more}"
