"""The log of one machine: SQLite files and group commit, without a server."""
