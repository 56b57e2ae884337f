"""Bulk loading: read a file of any known format, find each event's time, send it in batches."""
