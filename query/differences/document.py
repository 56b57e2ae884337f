"""The answer of `POST /bw/1/differences` as JSON."""

from typing import Any

from common import limits
from query.differences.distribution import Key, Pair, Side
from query.differences.grid import NumberDistribution, NumberSide
from query.differences.rank import RankedField


def field_document(one: RankedField, inside: Side, outside: Side) -> dict[str, Any]:
    """A field with its distributions on both sides."""
    distribution, kind = one.distribution, "values" if one.numbers is None else "numbers"
    read = min(distribution.read.inside, distribution.read.outside)
    found: dict[str, Any] = {
        "name": one.name,
        "kind": kind,
        "score": round(one.measured.score, 4),
        "confidence": _confidence(one.measured.confidence),
        "missing": _pair(distribution.missing, inside, outside),
        "sampled": read < 1,
    }
    listed = [(key, pair) for key, pair in one.values if key is not None]
    if one.numbers is None:
        shown = listed[: limits.DIFFERENCES_VALUES_SHOWN]
        found["values"] = [_value(key, pair, inside, outside) for key, pair in shown]
        others = Pair(distribution.others.inside, distribution.others.outside)
        for _, pair in listed[limits.DIFFERENCES_VALUES_SHOWN :]:
            others.add(pair.inside, pair.outside)
        more = len(listed) - len(shown) + distribution.others_number
        if more:
            found["others"] = {"values": more, **_pair(others, inside, outside)}
    else:
        found |= _numbers(one.numbers, inside, outside)
    return found


def side_document(side: Side) -> dict[str, Any]:
    """How many events a side has: weighted by sample rates, and as they are stored."""
    return {"events": round(side.weight), "stored": side.stored}


def _confidence(confidence: float) -> float:
    """Never 1: what is left is too little to be written."""
    return min(0.9999, round(confidence, 4))


def _numbers(numbers: NumberDistribution, inside: Side, outside: Side) -> dict[str, Any]:
    grid = numbers.grid()
    bins = zip(grid.edges, grid.edges[1:], grid.inside, grid.outside, strict=False)
    of_inside, of_outside = numbers.sides()
    return {
        "inside": _quartiles(of_inside),
        "outside": _quartiles(of_outside),
        "histogram": [
            {"from": low, "to": high, **_pair(Pair(float(w_in), float(w_out)), inside, outside)}
            for low, high, w_in, w_out in bins
        ],
    }


def _quartiles(side: NumberSide) -> dict[str, float | None]:
    def rounded(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.4g}")

    spread = None
    if side.p25 is not None and side.p75 is not None:
        spread = side.p75 - side.p25
    found = {"median": side.median, "p25": side.p25, "p75": side.p75, "spread": spread}
    return {name: rounded(value) for name, value in found.items()}


def _value(key: Key, pair: Pair, inside: Side, outside: Side) -> dict[str, Any]:
    value = key[1]
    if isinstance(value, str) and len(value) >= limits.DIFFERENCES_TEXT_CHARS:
        value += "..."
    return {"value": value, **_pair(pair, inside, outside)}


def _pair(pair: Pair, inside: Side, outside: Side) -> dict[str, Any]:
    return {
        "inside": {"events": round(pair.inside), "share": _share(pair.inside, inside)},
        "outside": {"events": round(pair.outside), "share": _share(pair.outside, outside)},
    }


def _share(weight: float, side: Side) -> float:
    return round(min(1.0, weight / side.weight), 6) if side.weight else 0.0
