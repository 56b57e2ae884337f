"""A dashboard for Grafana: what an operator looks at first, from the declared metrics."""

import json
from dataclasses import dataclass
from typing import Any, Final

_WIDTH = 24  # columns of Grafana's grid
_HEIGHT = 8

_SOURCE = {"name": "source", "type": "datasource", "query": "prometheus", "label": "from"}


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph.

    unit: Grafana's name of it.
    queries: (PromQL, legend).
    columns: its width in Grafana's grid.
    """

    title: str
    unit: str
    queries: tuple[tuple[str, str], ...]
    columns: int = 12


def _rate(metric: str, by: str = "") -> str:
    return f"sum{f' by ({by})' if by else ''} (rate({metric}[5m]))"


def _quantile(q: float, histogram: str) -> str:
    return f"histogram_quantile({q}, sum by (le) (rate({histogram}_bucket[5m])))"


PANELS: Final = (
    Panel(
        "Alarms that are raised (`bellwether status` says what to do)",
        "none",
        (("max by (alarm, partition) (bellwether_alarm) > 0", "{{alarm}} {{partition}}"),),
        24,
    ),
    Panel("Events accepted", "short", ((_rate("bellwether_events_accepted_total"), "events/s"),)),
    Panel(
        "Events refused, by rule",
        "short",
        ((_rate("bellwether_events_refused_total", "rule"), "{{rule}}"),),
    ),
    Panel(
        "Time until an acknowledgement",
        "s",
        (
            (_quantile(0.5, "bellwether_ack_seconds"), "p50"),
            (_quantile(0.99, "bellwether_ack_seconds"), "p99"),
        ),
    ),
    Panel(
        "Requests, by status",
        "short",
        ((_rate("bellwether_requests_total", "status"), "{{status}}"),),
    ),
    Panel("Rows indexed", "short", ((_rate("bellwether_indexed_rows_total"), "rows/s"),)),
    Panel(
        "Records not indexed yet, by partition",
        "short",
        (("max by (partition) (bellwether_lag_records)", "{{partition}}"),),
    ),
    Panel(
        "Age of the oldest events in no snapshot",
        "s",
        (("max by (partition) (bellwether_uncovered_seconds)", "{{partition}}"),),
    ),
    Panel("Live rows", "short", (("sum by (instance) (bellwether_live_rows)", "{{instance}}"),)),
    Panel(
        "Time of a query",
        "s",
        (
            (_quantile(0.5, "bellwether_query_seconds"), "p50"),
            (_quantile(0.95, "bellwether_query_seconds"), "p95"),
        ),
    ),
    Panel(
        "Time of one indexer's share",
        "s",
        ((_quantile(0.95, "bellwether_share_seconds"), "p95"),),
    ),
    Panel(
        "Brokers and partitions avoided",
        "none",
        (("max by (kind, name) (bellwether_placement_avoided) > 0", "{{kind}} {{name}}"),),
    ),
    Panel(
        "Alarms posted, by outcome",
        "short",
        ((_rate("bellwether_alarm_posts_total", "outcome"), "{{outcome}}"),),
    ),
)


def dashboard_page(panels: tuple[Panel, ...] = PANELS) -> str:
    """The dashboard's JSON, to be imported into Grafana."""
    document = {
        "title": "Bellwether",
        "uid": "bellwether",
        "schemaVersion": 39,
        "tags": ["bellwether"],
        "time": {"from": "now-6h", "to": "now"},
        "refresh": "30s",
        "templating": {"list": [_SOURCE]},
        "panels": _placed(panels),
    }
    return json.dumps(document, indent=1) + "\n"


def _placed(panels: tuple[Panel, ...]) -> list[dict[str, Any]]:
    placed, x, y = [], 0, 0
    for number, panel in enumerate(panels, 1):
        if x + panel.columns > _WIDTH:
            x, y = 0, y + _HEIGHT
        source = {"type": "prometheus", "uid": "${source}"}
        placed.append(
            {
                "id": number,
                "type": "timeseries",
                "title": panel.title,
                "datasource": source,
                "gridPos": {"x": x, "y": y, "w": panel.columns, "h": _HEIGHT},
                "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
                "targets": [
                    {"refId": chr(65 + i), "datasource": source, "expr": e, "legendFormat": legend}
                    for i, (e, legend) in enumerate(panel.queries)
                ],
            }
        )
        x += panel.columns
    return placed
