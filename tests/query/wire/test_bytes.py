"""Bodies between query roles and indexers keep their bytes: both versions run side by side."""

import msgspec
import pytest

from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, RowPosition, RowsWanted, ShareRequest, State
from query.share.view.rerouted import (
    BatchLookup,
    BatchLookupRequest,
    BatchLookupResponse,
    UndecidedBatch,
)
from query.wire.columns import (
    ColumnPage,
    ColumnsRequest,
    DatasetsRequest,
    IndexedColumn,
    IndexedDataset,
)
from query.wire.tail import TailFilter, TailRequest

GROUP = Filter("", FilterOp.ANY_OF, (), (Filter("a", FilterOp.EQ, (1,)),))
GROUP_JSON = b'{"field":"","op":"any-of","inside":[{"field":"a","op":"=","values":[1]}]}'
PLAN = Plan(
    dataset="d",
    start_ns=0,
    end_ns=9,
    needs=(Need(State.COUNT),),
    filters=(GROUP,),
    rows=RowsWanted(limit=2, bytes_max=3, after=RowPosition(1, 2, 3, 4, 5)),
    counted={1: ((2, 3),)},
)


@pytest.mark.parametrize(
    ("body", "encoded"),
    [
        (
            ShareRequest(PLAN, (0, 1)),
            b'{"plan":{"dataset":"d","start_ns":0,"end_ns":9,'
            b'"needs":[{"state":"count","field":null}],"filters":[' + GROUP_JSON + b"],"
            b'"counted":{"1":[[2,3]]},"rows":{"limit":2,"bytes_max":3,"after":[1,2,3,4,5]}},'
            b'"partitions":[0,1]}',
        ),
        (
            ColumnsRequest("d", "a", 3, "n", "i", "h", "p*"),
            b'{"dataset":"d","after":"a","size":3,"name":"n","id":"i","sha256":"h","pattern":"p*"}',
        ),
        (
            ColumnPage([IndexedColumn("n", ["i"], 1, 2)], True),
            b'{"columns":[{"name":"n","types":["i"],"first_seen_ns":1,"last_seen_ns":2}],'
            b'"more":true}',
        ),
        (DatasetsRequest(["d"], True), b'{"datasets":["d"],"thorough":true}'),
        (IndexedDataset(1, [2]), b'{"last_ns":1,"names":[2]}'),
        (
            TailRequest("d", TailFilter((GROUP,), True, ("a",)), (0,), 1, True, "e", "k"),
            b'{"dataset":"d","choice":{"filters":[' + GROUP_JSON + b'],"any_filter":true,'
            b'"fields":["a"]},"partitions":[0],"after_ns":1,"batches":true,"env":"e","key":"k"}',
        ),
        (
            UndecidedBatch("aa", (1, 2), 3, (4,)),
            b'{"batch":"aa","place":[1,2],"append_ns":3,"unless":[4]}',
        ),
        (
            BatchLookupRequest({0: (1, 2)}, {0: (BatchLookup("aa", 3),)}),
            b'{"ends":{"0":[1,2]},"asked":{"0":[{"batch":"aa","append_ns":3}]}}',
        ),
        (
            BatchLookupResponse({0: ["aa"]}, {1: "why"}),
            b'{"held":{"0":["aa"]},"unknown":{"1":"why"}}',
        ),
    ],
)
def test_bodies_have_the_bytes_of_older_versions(body: msgspec.Struct, encoded: bytes) -> None:
    assert msgspec.json.encode(body) == encoded
    assert msgspec.json.decode(encoded, type=type(body)) == body
