"""What all items of a resource and scope share: fields, and the dataset that they go to."""

from collections.abc import Iterator
from typing import Final

from common.scan.work_budget import Work
from shepherd.ingest.service_dataset import UNKNOWN_SERVICE, dataset_of_service
from shepherd.otlp.decode.interface import OtlpBody
from shepherd.otlp.decode.reference.values import Attributes, Value, add_attribute
from shepherd.otlp.decode.reference.wire import fields, length_delimited, text_of

_FIELDS_PER_UNIT: Final = 8  # that are copied
_SERVICE: Final = "service.name"
RESOURCE_GROUP: Final = length_delimited(1)  # of a request
_RESOURCE: Final = length_delimited(1)  # of a group of scopes
_MEMBER: Final = length_delimited(2)  # a group of items by scope, and an item of one
_FORMER_MEMBER: Final = length_delimited(1000)  # a group of items, for a year of versions
_SCOPE: Final = length_delimited(1)  # of a group of items
_SCHEMA_URL: Final = length_delimited(3)  # of both groups
_RESOURCE_ATTRIBUTE: Final = length_delimited(1)
_SCOPE_NAME: Final = length_delimited(1)
_SCOPE_VERSION: Final = length_delimited(2)
_SCOPE_ATTRIBUTE: Final = length_delimited(3)
# Names of scopes of libraries that instrument others, in the languages that have such.
_INSTRUMENTATION: Final = (
    "io.opentelemetry",
    "opentelemetry.instrumentation",
    "OpenTelemetry.Instrumentation",
    "OpenTelemetry::Instrumentation",
    "go.opentelemetry.io/contrib/instrumentation",
    "@opentelemetry/instrumentation",
    "io.opentelemetry.contrib.php",
    "github.com/open-telemetry/opentelemetry-collector",
    "@honeycombio/",
)


def scopes_of(group: memoryview, work: Work) -> Iterator[memoryview]:
    """The groups of items of a resource's group, still encoded. As `members_of`.

    While scopes were called libraries, they came as another field, which has the same content.
    """
    tags = (_MEMBER, _FORMER_MEMBER)
    return (content for tag, _, content in fields(group, work) if tag in tags)


def members_of(group: memoryview, work: Work) -> Iterator[memoryview]:
    """The items of a scope's group, still encoded.

    They are read one at a time: as objects in memory, millions of them would be a hundred times
    larger than the request. Raises MalformedBody, TooMuchWork.
    """
    return (content for tag, _, content in fields(group, work) if tag == _MEMBER)


def read_resource(group: memoryview, work: Work) -> Attributes:
    """The resource's fields of a ResourceSpans, ResourceLogs or ResourceMetrics message, whose
    fields have equal numbers. Raises as `members_of`.
    """
    attributes = Attributes()
    schema_url = memoryview(b"")
    for tag, _, content in fields(group, work):
        if tag == _RESOURCE:
            for inner, _, attribute in fields(content, work):
                if inner == _RESOURCE_ATTRIBUTE:
                    add_attribute(attributes, attribute, work)
        elif tag == _SCHEMA_URL:
            schema_url = content
    attributes.add_text("resource.schema_url", schema_url)
    return attributes


def read_scope(group: memoryview, resource: Attributes, work: Work) -> Attributes:
    """The fields that the items of a ScopeSpans, ScopeLogs or ScopeMetrics message inherit of
    their scope and resource. Raises as `members_of`.
    """
    scope = Attributes()
    name = version = schema_url = memoryview(b"")
    for tag, _, content in fields(group, work):
        if tag == _SCOPE:
            for inner, _, part in fields(content, work):
                if inner == _SCOPE_NAME:
                    name = part
                elif inner == _SCOPE_VERSION:
                    version = part
                elif inner == _SCOPE_ATTRIBUTE:
                    add_attribute(scope, part, work)
        elif tag == _SCHEMA_URL:
            schema_url = content
    scope.add_text("library.name", name)
    scope.add_text("library.version", version)
    if text_of(name)[0].startswith(_INSTRUMENTATION):
        scope.add("telemetry.instrumentation_library", True)
    scope.add_text("scope.schema_url", schema_url)
    work.spend(len(resource.values) // _FIELDS_PER_UNIT)  # scopes may be many, and hold nothing
    for field, value in resource.values.items():
        scope.add(field, value)
    scope.mended.update(resource.mended)
    return scope


def service_dataset(resource: dict[str, Value]) -> str | None:
    """The dataset of a resource's service; None if it names none that could be a dataset."""
    service = resource.get(_SERVICE)
    return dataset_of_service(service) if isinstance(service, str) else None


def traces_dataset(body: OtlpBody, resource: dict[str, Value]) -> str:
    """The dataset of a resource's spans."""
    if body.classic:
        return body.dataset
    return service_dataset(resource) or UNKNOWN_SERVICE
