"""Rules for Prometheus, one for each declared alarm, and unit tests of them for promtool.

Both are YAML that is written line by line here, with texts as JSON strings (which are YAML too), so
that it is readable and needs no library.
"""

import json
from collections.abc import Iterable

from common.process.alarms.declared import ALARMS, Alarm

_GENERATED = "# generated from the declarations: `bellwether docs --write`"
RULES_FILE = "bellwether.rules.yml"


def alert_name(alarm: Alarm) -> str:
    """The alert's name in Prometheus: `snapshot_late` is `BellwetherSnapshotLate`."""
    return "Bellwether" + "".join(word.capitalize() for word in alarm.name.split("_"))


def expression(alarm: Alarm) -> str:
    """The PromQL expression that raises the alert."""
    own = f'max by (instance, partition) (bellwether_alarm{{alarm="{alarm.name}"}}) > 0'
    return alarm.expression or own


def rules_page(alarms: Iterable[Alarm] = ALARMS.values()) -> str:
    """The file of rules."""
    lines = [_GENERATED, "groups:", "  - name: bellwether", "    rules:"]
    for alarm in alarms:
        lines += [
            f"      - alert: {alert_name(alarm)}",
            f"        expr: {json.dumps(expression(alarm))}",
            f"        for: {alarm.for_s}s",
            "        labels:",
            f"          severity: {alarm.severity.value}",
            f"          alarm: {alarm.name}",
            "        annotations:",
            f"          summary: {json.dumps(alarm.meaning)}",
            f"          remedy: {json.dumps(alarm.remedy)}",
        ]
    return "\n".join(lines) + "\n"


def rule_tests_page(alarms: Iterable[Alarm] = ALARMS.values()) -> str:
    """Unit tests for `promtool test rules`.

    Each alarm of a process does not fire at 0, fires at 1, and ends at 0 again.
    """
    lines = [_GENERATED, f"rule_files: [{RULES_FILE}]", "evaluation_interval: 1m", "tests:"]
    for alarm in alarms:
        if alarm.expression:
            continue
        labels = f'alarm="{alarm.name}",instance="i:1",partition="3"'
        lines += [
            "  - interval: 1m",
            "    input_series:",
            f"      - series: {json.dumps(f'bellwether_alarm{{{labels}}}')}",
            '        values: "0 0 1 1 1 0 0"',
            "    alert_rule_test:",
        ]
        for minute, fires in ((1, False), (3, True), (6, False)):
            lines += [f"      - eval_time: {minute}m", f"        alertname: {alert_name(alarm)}"]
            lines += _expected(alarm) if fires else ["        exp_alerts: []"]
    return "\n".join(lines) + "\n"


def _expected(alarm: Alarm) -> list[str]:
    return [
        "        exp_alerts:",
        "          - exp_labels:",
        f"              severity: {alarm.severity.value}",
        f"              alarm: {alarm.name}",
        '              instance: "i:1"',
        '              partition: "3"',
        "            exp_annotations:",
        f"              summary: {json.dumps(alarm.meaning)}",
        f"              remedy: {json.dumps(alarm.remedy)}",
    ]
