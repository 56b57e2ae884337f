"""The configuration: sections, settings from file, environment and flags, checks, roles."""
