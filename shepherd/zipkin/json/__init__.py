"""Spans as JSON, version 1 and 2: cut out of a body, and read however clients write them."""
