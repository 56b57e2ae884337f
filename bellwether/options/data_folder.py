"""The data folder of a command that was given none."""

import os
from pathlib import Path


def data_default() -> Path:
    """The data folder that the environment names, as the settings would read it."""
    environ = os.environ
    return Path(environ.get("BELLWETHER_NODE_DATA") or environ.get("BELLWETHER_DATA") or "data")
