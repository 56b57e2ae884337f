"""JSON documents and lines, kept digit for digit."""
