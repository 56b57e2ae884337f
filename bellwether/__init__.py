"""The front door: command line, configuration; the only place where parts are wired together."""

from common.version import VERSION as __version__

__all__ = ["__version__"]
