"""Metrics are open to every client of an internal port, so they hold no customer's data."""

from common.metrics import REGISTRY

# What a label may name: roles, partitions and outcomes, which are the installation's own.
OPEN_LABELS = {
    "alarm",
    "answer",
    "broker",
    "error",
    "kernel",
    "kind",
    "listener",
    "name",
    "outcome",
    "partition",
    "quantile",
    "reason",
    "route",
    "rule",
    "source",
    "status",
    "why",
}


def test_no_metric_has_a_label_for_datasets_keys_or_environments() -> None:
    labels = {
        label
        for metric in REGISTRY._collector_to_names
        for label in getattr(metric, "_labelnames", ())
    }
    assert labels
    assert labels <= OPEN_LABELS, labels - OPEN_LABELS
