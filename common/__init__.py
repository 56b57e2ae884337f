"""Code shared by all roles: the event model, records, columns, limits, clock, errors, backends."""
