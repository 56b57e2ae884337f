"""Admission limits: events by key, bytes and requests by environment and key, body decoding."""
