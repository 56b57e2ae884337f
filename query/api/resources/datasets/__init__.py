"""Datasets: created, listed, changed and deleted."""
