"""Tails: streams of events as they are indexed, with or without conditions."""
