"""`/1/query_annotations`: names and descriptions of stored queries."""

from typing import Final

from common import limits
from common.metadata import Metadata, QueryAnnotation, Room
from query.api.resources.kind import Draft, ResourceKind
from query.api.resources.members import Member
from query.faults import BadReference


def _of_a_query(metadata: Metadata, draft: Draft[QueryAnnotation]) -> None:
    """Raises BadReference unless the query is one of the dataset, and the one it was before."""
    row, before = draft.row, draft.before
    if before is not None and row.query_id != before.query_id:
        raise BadReference("query_id", "queries in annotations cannot be changed")
    query = metadata.get_query(row.query_id)
    if query is None or query.env_id != row.env_id:
        raise BadReference("query_id", "Query ID included in body is invalid")
    if row.dataset_id and query.dataset_id != row.dataset_id:
        raise BadReference("query_id", "Query is not in the dataset")


QUERY_ANNOTATIONS: Final = ResourceKind(
    path="query_annotations",
    noun="query annotation",
    row=QueryAnnotation,
    about="A name and a description of a stored query.",
    members=(
        Member("name", required=True, at_most=limits.QUERY_NAME_CHARS_MAX),
        Member("description", at_most=limits.QUERY_DESCRIPTION_CHARS_MAX),
        Member("query_id", about="The query; it stays the same.", required=True, at_most=64),
    ),
    room=Room(*limits.QUERY_ANNOTATIONS_MAX),
    right="queries",
    check=_of_a_query,
)
