"""One operation of the API: a method on a path, what it takes, what it answers."""

from dataclasses import dataclass, field
from typing import Any, Final

from query.api.document.schema import Schema, ref

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_TITLES: Final = {
    200: "The answer.",
    201: "Created; `Location` has its address where it has one.",
    202: "Accepted.",
    204: "Done; there is no body.",
    400: "The body cannot be read.",
    401: "There is no such key.",
    403: "The key may not do this.",
    404: "There is no such thing.",
    409: "It conflicts with what is there.",
    410: "The query was ended before it had an answer, or a cursor's pages are gone.",
    413: "The body is too large.",
    415: "The content type is not known.",
    422: "Values that cannot be accepted; `type_detail` has every one.",
    429: "The share of the key or environment is used up; see `Retry-After`.",
    500: "A defect: please report it.",
    503: "It cannot be answered now; see `Retry-After`.",
}
_PROBLEMS: Final = frozenset({400, 404, 409, 422, 429})
_EVERYWHERE: Final = (400, 401, 403, 404, 413, 422, 429, 503)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter in the path, in the query string or in a header."""

    name: str
    where: str
    schema: Schema
    about: str = ""
    required: bool = False

    def described(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        found: dict[str, Any] = {"name": self.name, "in": self.where, "schema": self.schema}
        if self.required or self.where == "path":
            found["required"] = True
        if self.about:
            found["description"] = self.about
        return found


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on a path.

    id: unique in the document. group: its heading. summary: in one line.
    body: of its request, as JSON; None: it has none.
    answers: by status, the schema of the body; None: no body. Errors that any route may have are
        added.
    media: content type of the first answer. takes: of the body.
    key: whether a key is needed.
    """

    method: str
    path: str
    id: str
    group: str
    summary: str
    answers: dict[int, Schema | None]
    body: Schema | None = None
    body_required: bool = True
    parameters: tuple[Parameter, ...] = ()
    media: str = JSON
    takes: tuple[str, ...] = (JSON,)
    key: bool = True
    about: str = ""
    errors: tuple[int, ...] = field(default=_EVERYWHERE)

    def described(self) -> dict[str, Any]:
        """As OpenAPI has it."""
        found: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.group],
            "summary": self.summary,
            "responses": {str(status): self._answer(status) for status in self._statuses},
        }
        if self.about:
            found["description"] = self.about
        if self.parameters:
            found["parameters"] = [one.described() for one in self.parameters]
        if self.body is not None:
            found["requestBody"] = {
                "required": self.body_required,
                "content": {kind: {"schema": self.body} for kind in self.takes},
            }
        if not self.key:
            found["security"] = []
        return found

    @property
    def _statuses(self) -> list[int]:
        return sorted({*self.answers, *self.errors})

    def _answer(self, status: int) -> dict[str, Any]:
        found: dict[str, Any] = {"description": _TITLES[status]}
        if status in self.answers:
            schema = self.answers[status]
            if schema is not None:
                found["content"] = {self.media: {"schema": schema}}
        elif status in _PROBLEMS:
            found["content"] = {PROBLEM: {"schema": ref("Problem")}}
        else:
            found["content"] = {JSON: {"schema": ref("Error")}}
        if status in (429, 503):
            about = "Seconds after which it is worth asking again."
            found["headers"] = {"Retry-After": {"schema": {"type": "string"}, "description": about}}
        return found
