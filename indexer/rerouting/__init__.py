"""Resolves rerouted batches: whether another partition holds a batch, and the decision (I2).

A void is a record by which one partition asks another whether it holds a batch and forbids it to
count a later first copy.
"""
