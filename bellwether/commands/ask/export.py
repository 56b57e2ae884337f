"""`bellwether export`: events as one Parquet, Arrow, CSV or NDJSON file with plain names."""

from pathlib import Path

import click

from bellwether.client import Target
from bellwether.commands.ask.rows import named_fields, read_events_text
from bellwether.options.completion import complete_dataset
from bellwether.options.shared import client_options


@click.command()
@click.argument("dataset", shell_complete=complete_dataset)
@click.argument("given", nargs=-1, required=True, metavar="[TEXT] FILE")
@click.option("--fields", multiple=True, metavar="A,B", help="These fields; backticks hold commas.")
@click.option("--overwrite", is_flag=True, help="Replace FILE if it is there.")
@click.option(
    "--accept-incomplete", is_flag=True, help="Write what there is where partitions are missing."
)
@click.option("--after", default="", help="A receipt: wait until what it names is included.")
@client_options
def export(
    target: Target,
    dataset: str,
    given: tuple[str, ...],
    fields: tuple[str, ...],
    overwrite: bool,
    accept_incomplete: bool,
    after: str,
) -> None:
    """Write the events of DATASET to FILE, the oldest first, for other programs.

    \b
        bellwether export web 'WHERE status >= 500 LAST 1d' errors.parquet
        bellwether export web day.csv.gz --fields service,status
        duckdb -c "SELECT status, count(*) FROM 'errors.parquet' GROUP BY 1"

    TEXT has the conditions and the time range of a query; without a range it is the last 2 hours.
    The name of FILE says the format: .parquet, .arrow, .csv, .ndjson, the last two also with .gz
    or .zst. A column is called like its field; where two fields would meet in a program that folds
    case, or a field has values of several types, it says which column holds what.
    """
    from bellwether.export.run import export_events
    from bellwether.export.target_file import target_file

    *texts, name = given
    if len(texts) > 1:
        raise click.UsageError("one TEXT and one FILE: quote the text")
    try:
        file = target_file(Path(name))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if file.path.exists() and not overwrite:
        raise click.ClickException(f"{name} is there already: --overwrite replaces it")
    if not file.path.parent.is_dir():
        raise click.ClickException(f"there is no folder {file.path.parent}")
    question = {**read_events_text("".join(texts), dataset), "dataset": dataset, "order": "oldest"}
    if "limit" in question:
        raise click.UsageError("a file has all events of the range: leave LIMIT out")
    if (chosen := named_fields(fields)) is not None:
        question["fields"] = list(chosen)
    if after:
        question["after"] = after
    if accept_incomplete:
        question["coverage"] = "accept"
    try:
        export_events(target, question, file, accept_incomplete=accept_incomplete)
    except OSError as error:
        raise click.ClickException(f"{name} cannot be written: {error.strerror}") from error
