"""Alarms: declared once, raised on a board, told to people (status, metrics, logs, one URL)."""

from common.alarms.board import AlarmBoard, RaisedAlarm
from common.alarms.config import AlarmsConfig
from common.alarms.declared import ALARMS, Alarm, Severity

__all__ = ["ALARMS", "Alarm", "AlarmBoard", "AlarmsConfig", "RaisedAlarm", "Severity"]
