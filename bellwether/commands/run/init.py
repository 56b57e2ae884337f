"""`bellwether init`: make what a cluster's roles need, once."""

import asyncio
import os
import random
from pathlib import Path

import click

from bellwether.config.settings import Settings
from bellwether.options.shared import configuration_options, load_settings
from bellwether.supervisor.init import CannotInit, run_init
from common.clock import SystemClock


@click.command()
@configuration_options
def init(config: Path | None, data: Path | None, sets: tuple[str, ...]) -> None:
    """Create topic, bucket, database, ZooKeeper root, team and first key, where they are missing.

    May be run again at any time. Settings that would lose events are refused.
    """
    os.umask(0o077)  # the data folder holds a key, later what clients send
    try:
        asyncio.run(_init(load_settings(config, data, sets)))
    except CannotInit as error:
        raise click.ClickException(str(error)) from error


async def _init(settings: Settings) -> None:
    async for step in run_init(settings, SystemClock(), random.Random()):
        click.echo(f"{'made' if step.made else 'there':5}  {step.what}")
