"""What may be expired, deleted and dropped, and on whose word (I13)."""
