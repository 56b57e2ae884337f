"""Claim partitions, consume the log, shred, keep live rows, cut, seal, answer (I2, I3, I5)."""
