"""Answers agents over the Model Context Protocol, by asking the query API over HTTP."""
