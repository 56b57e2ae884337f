"""The front door: command line, configuration; the only place where parts are wired together."""
