"""Running: roles, configuration, versions."""
