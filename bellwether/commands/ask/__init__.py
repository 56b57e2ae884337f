"""Questions: of events, fields, traces and states."""
