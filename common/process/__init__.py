"""Parts of every role's process: announcement, HTTP, authentication, draining, alarms."""
