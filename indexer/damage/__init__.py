"""Records that cannot be read: told, looked for elsewhere, made good, settled (I2, I3, I7)."""
