"""A query's answer as people and programs take it: tables, graphs, CSV, Markdown, JSON lines."""
