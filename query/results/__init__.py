"""Makes the answer from shares: merge, order, limit, series and notes."""
