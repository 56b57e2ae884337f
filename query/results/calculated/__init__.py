"""Calculated fields that are stored, for the plans of questions."""
