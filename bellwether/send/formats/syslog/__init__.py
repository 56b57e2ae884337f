"""Syslog lines of both RFCs."""
