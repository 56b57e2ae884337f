"""Requests and shares that the last version without typed columns wrote are read and answered.

`version_1.json.xz` has rows, and for some plans the request and the shares of two partitions.
"""

import base64
import json
import lzma
import math
import random
import struct
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pytest

from common.process.versions import OWN, decode_request
from query.plan.plan import Plan, ShareRequest, State
from query.plan.spec import Calculation, QuerySpec
from query.results.merge.merge import merge
from query.results.rows.results import RowMaker, groups_of
from query.share.compute.answer import ShareAnswer, decode_answer, encode_answer, of_version
from query.share.compute.computation import Computation
from query.share.states.version_1 import (
    plan_with_tagged_groups,
    plan_with_typed_groups,
    tagged,
    untagged,
)
from tests.query.share import oracle
from tests.query.share.databases import databases
from tests.query.share.rows import Json, Row, block, view

_RECORDED = json.loads(lzma.decompress((Path(__file__).parent / "version_1.json.xz").read_bytes()))
ROWS = [
    Row(t, {n: Json(v[1]) if isinstance(v, list) else v for n, v in data.items()}, rate)
    for t, rate, data in _RECORDED["rows"]
]
VIEWS = [view(p, blocks=[block(ROWS[p::2])]) for p in range(2)]
ASKED = list(range(len(_RECORDED["plans"])))


def request(number: int) -> ShareRequest:
    return decode_request(_RECORDED["plans"][number]["request"].encode(), ShareRequest)


def recorded_shares(number: int) -> list[bytes]:
    return [base64.b64decode(share) for share in _RECORDED["plans"][number]["shares"]]


def shares_now(plan: Plan, version: int) -> list[ShareAnswer]:
    answers = [Computation(plan, [one], databases(), version=version).run() for one in VIEWS]
    return [of_version(answer, version, len(plan.breakdowns)) for answer in answers]


def answer(plan: Plan, shares: list[bytes]) -> list[Any]:
    """(step, group and values) of every cell, in order."""
    merged = merge(plan, [decode_answer(share).states for share in shares])
    ops = {State.COUNT: ("COUNT",), State.NUMBER: ("SUM", "AVG", "MIN", "MAX"),
           State.DISTINCT: ("COUNT_DISTINCT",), State.QUANTILE: ("P10", "P50", "P99")}  # fmt: skip
    spec = QuerySpec(
        tuple(Calculation(op, need.field) for need in plan.needs for op in ops[need.state]),
        breakdowns=plan.breakdowns,
    )
    every = merged.keys.column("b").to_pylist() if plan.step_ns else [None] * merged.cells
    cells = pa.array(range(merged.cells)).to_numpy()
    rows = RowMaker(spec, plan, merged).rows(cells)
    groups = groups_of(plan, merged, cells)
    return sorted(zip(every, groups, rows, strict=True), key=repr)


@pytest.mark.parametrize("number", ASKED)
def test_states_of_the_first_version_merge_as_those_of_today(number: int) -> None:
    plan = plan_with_typed_groups(request(number).plan)
    then = answer(plan, recorded_shares(number))
    now = answer(plan, [encode_answer(one) for one in shares_now(plan, OWN.plan)])
    assert [cell[:2] for cell in then] == [cell[:2] for cell in now]
    for (_, _, one), (_, _, other) in zip(then, now, strict=True):
        assert one.keys() == other.keys()
        assert all(oracle.same(one[label], other[label]) for label in one if label not in "xy")


@pytest.mark.parametrize("number", ASKED)
def test_a_request_of_the_first_version_is_answered_with_its_states(number: int) -> None:
    plan = plan_with_typed_groups(request(number).plan)
    for recorded, now in zip(recorded_shares(number), shares_now(plan, 1), strict=True):
        then = read_streams(recorded)
        states = read_streams(encode_answer(now))
        for name, table in then.items():
            mine = states.get(name)
            if mine is None:
                assert not table.num_rows
                continue
            assert keyed(mine, table).keys() == keyed(table, table).keys()
            for key, row in keyed(table, table).items():
                for one, other in zip(row, keyed(mine, table)[key], strict=True):
                    assert one == other or math.isclose(one, other, rel_tol=1e-12), (name, key)


def read_streams(data: bytes) -> dict[str, pa.Table]:
    """As a program of the first version reads them: the names of states are in the metadata."""
    source, states = pa.BufferReader(data), {}
    while source.tell() < len(data):
        with pa.ipc.open_stream(source) as reader:
            states[reader.schema.metadata[b"bellwether.state"].decode()] = reader.read_all()
    return states


def keyed(table: pa.Table, like: pa.Table) -> dict[Any, tuple[Any, ...]]:
    """By group, step, hash and number: the columns that a query role of the first version reads."""
    keys = [n for n in like.column_names if n in ("b", "h", "v") or n.startswith("k")]
    read = ("_isum", "_fsum", "_imin", "_imax", "_fmin", "_fmax")
    rest = [n for n in like.column_names if n in ("n", "w") or n.endswith(read)]
    held = [n for n in rest if like.column(n).null_count < len(like)]  # others may be left out
    rows = zip(*(table.column(n).to_pylist() for n in [*keys, *held]), strict=True)
    return {row[: len(keys)]: row[len(keys) :] for row in rows}


@pytest.mark.parametrize("number", ASKED)
def test_groups_are_sent_to_the_first_version_as_it_wrote_them(number: int) -> None:
    asked = request(number)
    plan = plan_with_tagged_groups(plan_with_typed_groups(asked.plan))
    sent = json.loads(msgspec.json.encode(ShareRequest(plan, asked.partitions)))
    then = json.loads(_RECORDED["plans"][number]["request"])
    assert sent["plan"].get("groups") == then["plan"].get("groups")
    assert "version" not in sent


def test_doubles_are_written_as_the_first_version_grouped_them() -> None:
    draw = random.Random(5)
    some = [struct.unpack("d", draw.randbytes(8))[0] for _ in range(3_000)]
    some += [draw.uniform(-1e6, 1e6) for _ in range(1_000)] + [1e20, 1e-7, 5e-324, 0.1, 1e22]
    finite = [v for v in some if math.isfinite(v) and not (v.is_integer() and abs(v) < 2**63)]
    with duckdb.connect() as connection:
        connection.register("doubles", pa.table({"v": pa.array(finite)}))
        texts = connection.execute("SELECT 'n' || v::VARCHAR FROM doubles").fetchall()
    assert [tagged(v) for v in finite] == [text for (text,) in texts]
    assert [untagged(tagged(v)) for v in finite] == finite
