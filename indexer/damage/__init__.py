"""Damaged records: reported, looked for elsewhere, recovered or settled (I2, I3, I7)."""
