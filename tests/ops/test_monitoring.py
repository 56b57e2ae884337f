"""The rules and the dashboard, judged by Prometheus's own tool and by the declared metrics."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from common import metrics
from common.process.alarms.declared import ALARMS, Alarm, Severity
from compose.install import InstallFailed, ensure
from compose.processes.host import Host
from ops.monitoring.dashboard import PANELS, dashboard_page
from ops.monitoring.rules import RULES_FILE, alert_name, expression, rule_tests_page, rules_page
from tests.servers import refuse


@pytest.fixture(scope="module")
def promtool() -> Path:
    try:
        folder = ensure(Host.here(), "promtool", print)
    except InstallFailed as error:
        refuse(f"not run, for want of promtool: {error}")
        raise
    return folder / "usr" / "bin" / "promtool"


def run(promtool: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(promtool), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_prometheus_takes_the_rules_and_their_unit_tests_pass(
    promtool: Path, tmp_path: Path
) -> None:
    (tmp_path / RULES_FILE).write_text(rules_page())
    (tmp_path / "tests.yml").write_text(rule_tests_page())
    checked = run(promtool, tmp_path, "check", "rules", RULES_FILE)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(ALARMS)} rules found" in checked.stdout
    tested = run(promtool, tmp_path, "test", "rules", "tests.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_the_unit_tests_notice_a_rule_that_does_not_fire(promtool: Path, tmp_path: Path) -> None:
    broken = rules_page().replace('alarm=\\"gap\\"', 'alarm=\\"gaps\\"')
    assert broken != rules_page()
    (tmp_path / RULES_FILE).write_text(broken)
    (tmp_path / "tests.yml").write_text(rule_tests_page())
    tested = run(promtool, tmp_path, "test", "rules", "tests.yml")
    assert tested.returncode == 1
    assert alert_name(ALARMS["gap"]) in tested.stdout + tested.stderr


def test_prometheus_takes_every_expression_of_the_dashboard(promtool: Path, tmp_path: Path) -> None:
    lines = ["groups:", "  - name: panels", "    rules:"]
    for panel in PANELS:
        for query, _ in panel.queries:
            lines += ["      - record: a:b", f"        expr: {json.dumps(query)}"]
    (tmp_path / "panels.yml").write_text("\n".join(lines) + "\n")
    checked = run(promtool, tmp_path, "check", "rules", "--lint=none", "panels.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def declared_series() -> set[str]:
    """Names as Prometheus stores them."""
    found: set[str] = set()
    for item in vars(metrics).values():
        if isinstance(item, MetricWrapperBase):
            family = next(iter(item.describe()))
            suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
            found |= {family.name + suffix for suffix in suffixes.get(family.type, ("",))}
    return found


def test_rules_and_panels_name_only_metrics_that_there_are() -> None:
    asked = [expression(alarm) for alarm in ALARMS.values()]
    asked += [query for panel in PANELS for query, _ in panel.queries]
    named = {name for text in asked for name in re.findall(r"bellwether_\w+", text)}
    assert named
    assert named <= declared_series(), named - declared_series()


def test_the_dashboard_is_a_document_whose_panels_do_not_overlap() -> None:
    panels = json.loads(dashboard_page())["panels"]
    assert [panel["title"] for panel in panels] == [panel.title for panel in PANELS]
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_texts_with_quotes_and_braces_stay_texts(promtool: Path, tmp_path: Path) -> None:
    odd = Alarm("odd_one", Severity.TICKET, 'says "no": #1 {x}', "do 'this' \\ that")
    (tmp_path / RULES_FILE).write_text(rules_page([odd]))
    (tmp_path / "tests.yml").write_text(rule_tests_page([odd]))
    tested = run(promtool, tmp_path, "test", "rules", "tests.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr
