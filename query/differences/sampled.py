"""Which of very many fields differ, by some events of either side: those are looked at first.

It only ranks, by the measure of answers (`query.differences.measure`): what an answer says of a
field is counted. Sample rates have no part.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from query.differences.measure import Numbers, differing_numbers, differing_values

Inside = npt.NDArray[np.bool_]
Rank = tuple[float, float]  # score and confidence, or the difference of shares alone
_NUMBERS_MANY = 24  # numbers of more distinct values are compared by their order


def sampled_ranks(samples: Sequence[pa.Table], fields: int) -> list[Rank]:
    """By field how much it differs. samples: of each share (`query.share.differences.sql`)."""
    if not samples:
        return [(0.0, 0.0)] * fields
    events = pa.concat_tables(samples)
    inside: Inside = events.column("inside").fill_null(False).to_numpy()
    ends = int(inside.sum()), int((~inside).sum())
    if not all(ends):
        return [(0.0, 0.0)] * fields
    known = Numbers(float(ends[0]), float(ends[1]), 20 * fields)
    return [_rank(events, at, inside, known) for at in range(fields)]


def _rank(events: pa.Table, at: int, inside: Inside, known: Numbers) -> Rank:
    keys = events.column(f"k{at}").combine_chunks()
    if keys.null_count == len(keys):
        return 0.0, 0.0
    codes = keys.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False) + 1
    shares_in = np.bincount(codes[inside], minlength=codes.max() + 1) / known.inside
    shares_out = np.bincount(codes[~inside], minlength=codes.max() + 1) / known.outside
    measured = differing_values(shares_in, shares_out, known)
    best = measured.score, measured.confidence
    if len(shares_in) > _NUMBERS_MANY:
        numbers = events.column(f"x{at}").combine_chunks()
        valid = numbers.is_valid().to_numpy(zero_copy_only=False)
        values, places = np.unique(numbers.drop_null().to_numpy(), return_inverse=True)
        some = inside[valid]
        up_in = np.bincount(places[some], minlength=len(values)) / known.inside
        up_out = np.bincount(places[~some], minlength=len(values)) / known.outside
        by_order = differing_numbers(up_in, up_out, known)
        best = max(best, (by_order.score, by_order.confidence))
    return best
