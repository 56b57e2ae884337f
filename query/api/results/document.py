"""A result as its caller gets it: the vendor's members, and Bellwether's beside them."""

from typing import Any

import msgspec

from query.plan.planner import QueryRequest
from query.results.answer import Answer, Compared
from query.results.totals.series import EncodedRows


def encode_answer(query: QueryRequest, answer: Answer, missing: list[str]) -> bytes:
    """The members besides the vendor's `query`, `id`, `complete` and `links`, as JSON.

    missing: notes on fields that no event has.
    """
    document: dict[str, Any] = {
        "data": _data(answer),
        "coverage": answer.coverage,
        "notes": [*answer.notes, *missing],
        "range": query.told_range,
    }
    if answer.groups is not None:
        document["groups"] = answer.groups
    if answer.compared is not None:
        document["compare"] = _compared(answer.compared)
    return msgspec.json.encode(document)


def _data(answer: Answer) -> dict[str, Any]:
    return {
        name: member.json if isinstance(member, EncodedRows) else member
        for name, member in answer.data.items()
    }


def _compared(found: Compared) -> dict[str, Any]:
    document = {
        "offset_s": found.offset_s,
        "range": found.range,
        "data": _data(found.answer),
        "only_now": found.only_now,
        "only_before": found.only_before,
        "coverage": found.answer.coverage,
        "notes": found.answer.notes,
    }
    if found.answer.groups is not None:
        document["groups"] = found.answer.groups
    return document


def encode_result(query: bytes, result_id: str, links: dict[str, str], body: bytes | None) -> bytes:
    """A whole result. query: its specification. body: of `encode_answer`; None while it runs."""
    head = msgspec.json.encode(
        {
            "query": msgspec.Raw(query),
            "id": result_id,
            "complete": body is not None,
            "links": links,
        }
    )
    return head if body is None else head[:-1] + b"," + body[1:]
