"""Did you mean: names near to one that is not known. One function for datasets, fields and texts.

A name that differs only in its case, or that another name begins with or contains, is near; so is
one a few letters away. The work is bounded by the names it is given.
"""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

from common import limits
from common.metadata import Metadata
from common.metadata.lookup import shown_slugs

_SHOWN: Final = 3
QUOTE: Final = '"'  # around names of datasets; those of fields stand in backticks, as in queries
_RATIO_MIN: Final = 0.72  # of letters in common: `statsu` and `status` have 0.83
_CONTAINED_MIN: Final = 3  # letters: shorter ones are within too many names


def near_names(wanted: str, known: Iterable[str], most: int = _SHOWN) -> list[str]:
    """The known names most like the one wanted, the nearest first; at most `most`."""
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
    """From 0 (not near) to 2 (the same but for its case)."""
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
    """`did you mean `status` or `state`?`; empty where nothing is near."""
    quoted = [f"{quote}{name}{quote}" for name in near]
    if not quoted:
        return ""
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
    return f"did you mean {listed}?"


def dataset_hint(metadata: Metadata, env_id: str, wanted: str) -> str:
    """What to do about a dataset's name that the environment does not have: names near to it.

    Blocks: metadata is asked. Raises MetadataUnavailable.
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
