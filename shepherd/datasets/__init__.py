"""Datasets that requests name: their ids and depths, and how many an environment may have."""
