"""Batches on their way to the server: borders, requests, verdicts, progress, report."""
