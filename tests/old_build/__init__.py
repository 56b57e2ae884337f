"""Data that an earlier build wrote, and tests that this one reads it."""
