"""Alarms: declared once, raised on a board, shown in status, metrics and logs, posted to a URL."""
