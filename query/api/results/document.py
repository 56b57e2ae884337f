"""A result as its caller gets it: the vendor's members, and Bellwether's beside them."""

from typing import Any

import msgspec

from query.plan.planner import QueryRequest
from query.results.runner import Answer
from query.results.series import EncodedRows


def encode_answer(query: QueryRequest, answer: Answer, missing: list[str]) -> bytes:
    """The members besides the vendor's `query`, `id`, `complete` and `links`, as JSON.

    missing: notes on fields that no event has.
    """
    document: dict[str, Any] = {
        "data": {
            name: member.json if isinstance(member, EncodedRows) else member
            for name, member in answer.data.items()
        },
        "coverage": answer.coverage,
        "notes": [*answer.notes, *missing],
        "range": range_of(query),
    }
    if answer.groups is not None:
        document["groups"] = answer.groups
    return msgspec.json.encode(document)


def range_of(query: QueryRequest) -> dict[str, int]:
    """The range as it was resolved: unix seconds, half open."""
    return {
        "start_time": query.start_ns // 10**9,
        "end_time": -(-query.end_ns // 10**9),
        "granularity": query.step_ns // 10**9,
    }


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
