"""Damaged records: reported, and recovered from whole copies or settled (I2, I3, I7).

Damaged: this copy of the log cannot give the record. Settled: an operator has counted it as lost.
"""
