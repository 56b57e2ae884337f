"""What all items of a resource and scope share: fields, and the dataset that they go to."""

from typing import Final

import msgspec

from common.model.names import BadDatasetName, dataset_slug
from common.scan.work_budget import Work
from shepherd.otlp.decode.interface import OtlpBody
from shepherd.otlp.decode.reference.values import Attributes, Value, add_attribute
from shepherd.otlp.decode.reference.wire import fields, length_delimited, text_of

UNKNOWN_SERVICE: Final = "unknown_service"
_SERVICE: Final = "service.name"
RESOURCE_GROUP: Final = length_delimited(1)  # of a request
_RESOURCE: Final = length_delimited(1)  # of a group of scopes
_SCOPE_GROUP: Final = length_delimited(2)
_SCOPE: Final = length_delimited(1)  # of a group of items
_ITEM: Final = length_delimited(2)
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


class Resource(msgspec.Struct, frozen=True, eq=False):
    """A resource's fields, and its groups of items by scope, still encoded."""

    attributes: Attributes
    scope_groups: list[memoryview]


class Scope(msgspec.Struct, frozen=True, eq=False):
    """The fields that items inherit of their scope and resource, and the items, still encoded."""

    inherited: Attributes
    items: list[memoryview]


def read_resource(group: memoryview, work: Work) -> Resource:
    """A ResourceSpans, ResourceLogs or ResourceMetrics message; their fields have equal numbers.

    Raises MalformedBody, TooMuchWork.
    """
    attributes = Attributes()
    scope_groups: list[memoryview] = []
    schema_url = memoryview(b"")
    for tag, _, content in fields(group, work):
        if tag == _RESOURCE:
            for inner, _, attribute in fields(content, work):
                if inner == _RESOURCE_ATTRIBUTE:
                    add_attribute(attributes, attribute, work)
        elif tag == _SCOPE_GROUP:
            scope_groups.append(content)
        elif tag == _SCHEMA_URL:
            schema_url = content
    attributes.add_text("resource.schema_url", schema_url)
    return Resource(attributes, scope_groups)


def read_scope(group: memoryview, resource: Attributes, work: Work) -> Scope:
    """A ScopeSpans, ScopeLogs or ScopeMetrics message. Raises as `read_resource`."""
    scope = Attributes()
    name = version = schema_url = memoryview(b"")
    attributes: list[memoryview] = []
    items: list[memoryview] = []
    for tag, _, content in fields(group, work):
        if tag == _SCOPE:
            for inner, _, part in fields(content, work):
                if inner == _SCOPE_NAME:
                    name = part
                elif inner == _SCOPE_VERSION:
                    version = part
                elif inner == _SCOPE_ATTRIBUTE:
                    attributes.append(part)
        elif tag == _ITEM:
            items.append(content)
        elif tag == _SCHEMA_URL:
            schema_url = content
    for attribute in attributes:
        add_attribute(scope, attribute, work)
    scope.add_text("library.name", name)
    scope.add_text("library.version", version)
    if text_of(name)[0].startswith(_INSTRUMENTATION):
        scope.add("telemetry.instrumentation_library", True)
    scope.add_text("scope.schema_url", schema_url)
    for field, value in resource.values.items():
        scope.add(field, value)
    scope.mended.update(resource.mended)
    return Scope(scope, items)


def service_dataset(resource: dict[str, Value]) -> str | None:
    """The dataset of a resource's service; None if it names none that could be a dataset."""
    service = resource.get(_SERVICE)
    if not isinstance(service, str):
        return None
    name = service.strip()
    if name.startswith(UNKNOWN_SERVICE):
        return None
    try:
        dataset_slug(name)
    except BadDatasetName:
        return None
    return name


def traces_dataset(body: OtlpBody, resource: dict[str, Value]) -> str:
    """The dataset of a resource's spans."""
    if body.classic:
        return body.dataset
    return service_dataset(resource) or UNKNOWN_SERVICE
