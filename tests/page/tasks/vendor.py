"""The same tasks as Honeycomb's documentation describes them, counted by the rule of `counted.mjs`.

Each step is one that a page of the documentation names; where pages name several ways, the shortest
counts. Both products begin at their first page with somebody who is logged in. Read in 2026; the
pages are named by what stands after `docs.honeycomb.io/`.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Documented:
    """Actions of one task, in order, and the pages that name them."""

    actions: tuple[str, ...]
    pages: tuple[str, ...]


_QUERY = "click Query in the navigation"
_BUILD = "investigate/query/build"
_TRACES = "investigate/analyze/explore-traces"

WAYS = {
    "first event to graph": Documented(
        (
            "click the environment's label",
            "click Manage Environments",
            "click the environment",
            "click API Keys",
            "click Ingest",
            "copy the key",
            _QUERY,
            "click Run Query",
        ),
        ("get-started/configure/environments/manage-api-keys", _BUILD),
    ),
    "the slow build from the heatmap": Documented(
        (
            _QUERY,
            "click VISUALIZE",
            "type HEATMAP(duration_ms)",
            "click Run Query",
            "drag a box",
            "click BubbleUp Outliers",
        ),
        ("investigate/analyze/identify-outliers",),
    ),
    "the events behind a spike": Documented(
        (_QUERY, "click Run Query", "drag over the spike", "click Explore Data"),
        (_TRACES, "working-with-data/tracing/explore-trace-data"),
    ),
    "one user's failing trace": Documented(
        (
            _QUERY,
            "click WHERE",
            *("type user_id", "type =", "type u1207"),
            *("type error", "type =", "type true"),
            "click Run Query",
            "click Traces",
            "click the trace",
        ),
        (_TRACES, _BUILD),
    ),
    "a word in the logs": Documented(
        (
            _QUERY,
            "click WHERE",
            *("type body", "type contains", "type the word"),
            "click Run Query",  # with nothing to visualize the events themselves are shown
        ),
        ("working-with-your-data/queries", _BUILD),
    ),
    "a link shared with a colleague": Documented(
        ("choose the address", "copy it", "open the link"),
        ("investigate/analyze/identify-outliers",),
    ),
}
