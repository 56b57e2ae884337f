"""A role refuses what it would misread; members tell each other what they know."""

from pathlib import Path

import msgspec
import pytest

from common.errors import BadRequest
from common.metadata import schema
from common.metadata.mysql import schema as mysql_schema
from common.model.record import RECORD_VERSION
from common.process.members import Member, encode_member
from common.process.versions import OWN, Understands, decode_request, oldest
from indexer.damage.publish_gate import RecordsRequest
from query.plan.parts.conditions import Filter, FilterOp
from query.plan.plan import Need, Plan, RowsWanted, ShareRequest, State
from query.share.view.rerouted import BatchLookup, BatchLookupRequest
from query.wire.columns import ColumnsRequest, DatasetsRequest
from query.wire.tail import TailFilter, TailRequest

FILTER = Filter("a", FilterOp.ALL_OF, inside=(Filter("b", FilterOp.EQ, (1,)),))
PLAN = Plan(
    dataset="d",
    start_ns=0,
    end_ns=9,
    needs=(Need(State.COUNT),),
    filters=(FILTER,),
    rows=RowsWanted(limit=1, bytes_max=1),
)
REQUESTS = [
    ShareRequest(PLAN, (0, 1)),
    TailRequest("d", TailFilter((FILTER,)), (0,)),
    ColumnsRequest("d", after="x"),
    DatasetsRequest(["d"]),
    BatchLookupRequest({0: (1, 2)}, {0: (BatchLookup("00", 1),)}),
    RecordsRequest(0, 1, (5,)),
]


class _OldMember(msgspec.Struct, frozen=True):
    """A member as a program of the first versions reads it."""

    role: str
    instance: str
    url: str
    zone: str
    pid: int
    started_ns: int
    version: str
    slot: str = "0"
    public_url: str = ""
    ready: bool = True


def kind(request: object) -> str:
    return type(request).__name__


@pytest.mark.parametrize("request_", REQUESTS, ids=kind)
def test_a_request_is_read_as_it_was_sent(request_: ShareRequest) -> None:
    assert decode_request(msgspec.json.encode(request_), type(request_)) == request_


@pytest.mark.parametrize("request_", REQUESTS, ids=kind)
def test_a_request_without_a_version_is_of_the_first(request_: ShareRequest) -> None:
    body = msgspec.json.decode(msgspec.json.encode(request_))
    assert "version" not in body
    assert decode_request(msgspec.json.encode(body), type(request_)).version == 1


@pytest.mark.parametrize("request_", REQUESTS, ids=kind)
def test_an_unknown_version_is_refused_with_both_versions(request_: ShareRequest) -> None:
    newer = msgspec.structs.replace(request_, version=OWN.plan + 1)
    body = msgspec.to_builtins(newer, str_keys=True) | {"of_the_newer": 1}
    for data in (msgspec.json.encode(newer), msgspec.json.encode(body)):
        with pytest.raises(
            BadRequest, match=f"of version {OWN.plan + 1}, .* versions 1 to {OWN.plan}: upgrade"
        ):
            decode_request(data, type(request_))


def objects_in(value: object, at: str = "") -> list[tuple[str, dict[str, object]]]:
    """Every JSON object in a body that has named members, with its path."""
    if isinstance(value, dict):
        inside = [one for name, v in value.items() for one in objects_in(v, f"{at}.{name}")]
        numbered = all(str(name).isdigit() for name in value)
        return inside if numbered else [(at, value), *inside]
    if isinstance(value, list | tuple):
        return [one for n, v in enumerate(value) for one in objects_in(v, f"{at}[{n}]")]
    return []


@pytest.mark.parametrize("request_", REQUESTS, ids=kind)
def test_an_unknown_field_is_refused_wherever_it_is(request_: ShareRequest) -> None:
    body = msgspec.json.decode(msgspec.json.encode(request_))
    found = objects_in(body)
    assert found
    for path, inside in found:
        inside["new_field"] = 1
        with pytest.raises(BadRequest, match="new_field"):
            decode_request(msgspec.json.encode(body), type(request_))
        del inside["new_field"]
        assert decode_request(msgspec.json.encode(body), type(request_)) == request_, path


def test_a_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(BadRequest, match="not a ShareRequest"):
        decode_request(b"{", ShareRequest)


def test_members_of_both_versions_read_each_other() -> None:
    old = _OldMember("indexer", "ix", "http://127.0.0.1:1", "a", 1, 1, "1")
    read = msgspec.json.decode(msgspec.json.encode(old), type=Member)
    assert read.understands == Understands(plan=1, documents=1)
    new = msgspec.structs.replace(read, understands=Understands(plan=2, documents=3))
    assert msgspec.json.decode(encode_member(new), type=Member) == new
    assert msgspec.json.decode(encode_member(new), type=_OldMember) == old


def test_the_oldest_of_several_is_what_all_know() -> None:
    assert oldest([]) == OWN
    assert oldest([Understands(9, 9)]) == OWN
    assert oldest([OWN, Understands(1, 1)]) == Understands(1, 1)


def test_the_page_about_formats_says_what_this_program_knows() -> None:
    page = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
    [row] = [line for line in page.splitlines() if line.startswith("| this one |")]
    columns = [column.strip() for column in row.split("|")[2:6]]
    assert columns == [
        ", ".join(str(version) for version in range(1, RECORD_VERSION + 1)),
        f"1 to {OWN.documents}",
        ", ".join(str(version) for version in range(1, OWN.plan + 1)),
        f"{len(schema.MIGRATIONS)}, {len(mysql_schema.MIGRATIONS)}",
    ]
