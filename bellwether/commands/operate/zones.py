"""The time zone of a person: an option, the environment, else UTC."""

from collections.abc import Mapping
from datetime import UTC, tzinfo

import click


def chosen_zone(option: str | None, environ: Mapping[str, str]) -> tzinfo:
    """The zone that --zone names, else the one of TZ, as far as it names one. Raises UsageError
    for an option that names none.
    """
    given = environ.get("TZ", "").removeprefix(":") if option is None else option
    if not given:
        return UTC
    from common.model.times.zones import UnknownZone, read_zone

    try:
        return read_zone(given)
    except UnknownZone as error:
        if option is None:  # TZ may hold rules of POSIX, or a path
            return UTC
        raise click.UsageError(f"--zone: {error}") from error
