"""A whole cluster as plain processes: parts, launcher, commands for a running one."""
