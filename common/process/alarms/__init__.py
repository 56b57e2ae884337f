"""Alarms: declared once, raised on a board, told to people (status, metrics, logs, one URL)."""
