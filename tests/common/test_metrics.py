"""Metrics are open to whoever reaches an internal port, so they name nobody's data."""

from common.metrics import REGISTRY

# What a label may tell: of roles, partitions and outcomes, which are the installation's own.
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
