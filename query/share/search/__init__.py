"""The search of a text in every text field of an event (docs/adr/0066-instances-and-words.md)."""
