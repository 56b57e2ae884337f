"""From shares to the answer: merge, order, limit, series and notes."""
