"""Sends one plan to every partition's indexers: replicas, hedging, liveness, reconciled totals."""
