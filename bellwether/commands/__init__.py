"""The commands: each reads its options, calls the logic, prints."""
