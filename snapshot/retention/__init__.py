"""Which segments are no longer served, and when their objects are deleted (I4, I13)."""
