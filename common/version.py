"""The version of this program, as roles announce it."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("bellwether")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return "0+unknown"


VERSION = _installed()
