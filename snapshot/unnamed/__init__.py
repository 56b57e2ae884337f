"""Objects that no document names: how publishers avoid them, who finds and removes them (I4)."""
