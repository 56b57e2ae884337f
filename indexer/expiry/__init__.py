"""What may expire, be deleted and leave the log, and which clocks are trusted for it (I13)."""
