"""Resolving rerouted batches: whether another partition holds a batch, and the decision (I2)."""
