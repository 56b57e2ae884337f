"""The compiled shredder against the reference."""
