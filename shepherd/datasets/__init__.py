"""Resolves dataset names to ids and depths, and limits the datasets of an environment."""
