"""Shares become the answer: merge, order, limit, series and notes."""
