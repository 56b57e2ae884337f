"""Damaged records: reported, and recovered from whole copies or settled (I2, I3, I7).

Damaged: the record cannot be read from this copy of the log.
Settled: an operator has counted it as lost.
"""
