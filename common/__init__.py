"""What every role shares: the event model, records, columns, limits, clock, errors, backends."""
