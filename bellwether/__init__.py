"""The front door: command line, configuration; the only place where parts are wired together."""

__version__ = "0.1.0"
