"""What is generated from declarations: settings, metrics, alarms, and what monitors them."""

from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from bellwether.config.settings import PREFIX, SECTIONS, SHORT_NAMES, render
from common import metrics
from common.process.alarms.declared import ALARMS
from common.settings import declared
from ops.monitoring.dashboard import dashboard_page
from ops.monitoring.rules import RULES_FILE, rule_tests_page, rules_page

_ROOT = Path(__file__).resolve().parents[2]
_KINDS = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}


def settings_page() -> str:
    """docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "<!-- generated from the declarations: `bellwether docs --write` -->",
        "",
        "Every setting can stand in a TOML file (`--config FILE`, else `BELLWETHER_CONFIG`, else",
        "`./bellwether.toml`), in the environment (`BELLWETHER_<SECTION>_<NAME>`) or on the",
        "command line (`--set section.name=value`); the later in this list wins.",
        "`bellwether settings` prints the values in force and where each comes from. Unknown",
        "names are errors. A secret can also be given as the name of a file that holds it: its",
        "name with `_file` (`BELLWETHER_MYSQL_PASSWORD_FILE=/run/mysql`). It is never shown.",
        "",
        "```toml",
        "[shepherd]",
        "port = 9000",
        "```",
        "",
        "Short forms in the environment: "
        + ", ".join(f"`{PREFIX}{short}` = {s}.{n}" for short, (s, n) in SHORT_NAMES.items())
        + ".",
    ]
    for section, config in SECTIONS.items():
        intro = (config.__doc__ or "").strip().splitlines()[0]
        lines += ["", f"## [{section}]", "", intro, ""]
        lines += ["| setting | type | default | what it does |", "|---|---|---|---|"]
        for item in declared(config):
            default = f"`{render(item.default)}`" if render(item.default) else ""
            kind = item.type.replace("|", "\\|") + (", secret" if item.secret else "")
            lines.append(f"| `{item.name}` | {kind} | {default} | {_cell(item.help)} |")
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """docs/metrics.md."""
    lines = [
        "# Metrics",
        "",
        "<!-- generated from the declarations: `bellwether docs --write` -->",
        "",
        "Every role serves these at `/metrics` (Prometheus text) on its internal address, which",
        "`bellwether status` shows. Names carry their unit; counters end in `_total`.",
        "",
        "| metric | kind | labels | what it tells |",
        "|---|---|---|---|",
    ]
    found = [item for item in vars(metrics).values() if isinstance(item, MetricWrapperBase)]
    for item in found:
        kind = _KINDS[type(item)]
        family = next(iter(item.describe()))
        name = f"{family.name}_total" if kind == "counter" else family.name
        labels = ", ".join(f"`{label}`" for label in item._labelnames)
        lines.append(f"| `{name}` | {kind} | {labels} | {_cell(family.documentation)} |")
    return "\n".join(lines) + "\n"


def alarms_page() -> str:
    """docs/alarms.md."""
    lines = [
        "# Alarms",
        "",
        "<!-- generated from the declarations: `bellwether docs --write` -->",
        "",
        "Each alarm is shown in `bellwether status`, in the log of the role that raises it, and in",
        "the metric `bellwether_alarm`. `docs/monitoring/` has rules and a dashboard for",
        "Prometheus and Grafana ([operating.md](operating.md) tells how to use them). With",
        "`alarms.url` the beginning and the end of each are posted there. *page*: events are, or",
        "will soon be, lost or refused; *ticket*: it can wait for the morning.",
        "",
        "| alarm | urgency | what it means | what to do |",
        "|---|---|---|---|",
    ]
    for alarm in ALARMS.values():
        words = f"{_cell(alarm.meaning)} | {_cell(alarm.remedy)}"
        lines.append(f"| `{alarm.name}` | {alarm.severity.value} | {words} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def pages() -> dict[Path, str]:
    """Every generated page, by its path."""
    return {
        _ROOT / "docs" / "settings.md": settings_page(),
        _ROOT / "docs" / "metrics.md": metrics_page(),
        _ROOT / "docs" / "alarms.md": alarms_page(),
        _ROOT / "docs" / "monitoring" / RULES_FILE: rules_page(),
        _ROOT / "docs" / "monitoring" / "bellwether.rules.test.yml": rule_tests_page(),
        _ROOT / "docs" / "monitoring" / "grafana.json": dashboard_page(),
    }


def out_of_date() -> list[Path]:
    """Pages whose file differs from what the declarations say."""
    return [p for p, text in pages().items() if not p.exists() or p.read_text("utf-8") != text]


def write() -> list[Path]:
    """Write the pages that are out of date; returns them."""
    stale = out_of_date()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages()[path], "utf-8")
    return stale
