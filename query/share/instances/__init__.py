"""One row per instance of what a share has of it (docs/adr/0066-instances-and-words.md)."""
