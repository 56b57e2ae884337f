"""Zipkin in: every rule of the mapping, hostile bodies, the routes."""
