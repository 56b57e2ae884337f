"""Spans of several datasets: what a plan's `spans` asks of a share."""
