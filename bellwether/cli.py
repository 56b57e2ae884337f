"""The command line: `bellwether --help` lists the commands, each in its own module.

A command's module is imported only when that command runs, so that questions are answered and
roles start at once; the list of commands needs none of them.
"""

import difflib
import importlib
import sys
from typing import NamedTuple, NoReturn

import click
from click.shell_completion import CompletionItem

from bellwether.client import ClientError
from bellwether.output import output_is_lost, prepare_streams
from common.version import VERSION

# what only `pip install 'bellwether[server]'` brings
SERVER_PACKAGES = frozenset(
    {"aiokafka", "boto3", "botocore", "cryptography", "duckdb", "grpc", "kazoo", "llvmlite",
     "msgpack", "numba", "numpy", "prometheus_client", "pyarrow", "pymysql", "rapidfuzz", "xxhash"}
)  # fmt: skip
# what only `pip install 'bellwether[assistant]'` brings
ASSISTANT_PACKAGES = frozenset({"mcp", "pydantic", "uvicorn"})
_INTERRUPTED = 130  # as a shell reports a program that Ctrl-C ended


class Listed(NamedTuple):
    """A command: where it is, and what it does in one line (its docstring begins with it)."""

    module: str
    help: str
    name: str = ""  # in its module, if not as on the command line
    hidden: bool = False  # not for people: `bellwether up` runs it


COMMANDS = {
    "up": Listed("run.up", "Start everything on this machine and watch over it until Ctrl-C."),
    "init": Listed(
        "run.init",
        "Create topic, bucket, database, ZooKeeper root, team and first key, where they are "
        "missing.",
    ),
    "shepherd": Listed("run.roles", "Run a shepherd: HTTP in, events to the log."),
    "indexer": Listed("run.roles", "Run an indexer: log to segments."),
    "all-roles": Listed(
        "run.roles", "Run every role in this one process.", "all_roles", hidden=True
    ),
    "query": Listed("ask.query", "Ask DATASET the question TEXT and print a table."),
    "shell": Listed(
        "ask.shell", "Ask one question after another, of DATASET or of what `\\use` chooses."
    ),
    "send": Listed("client.send", "Load FILE (- for standard input) into DATASET."),
    "rows": Listed(
        "ask.rows", "Show events of DATASET, or of every one with '*', the newest first."
    ),
    "export": Listed(
        "ask.export", "Write the events of DATASET to FILE, the oldest first, for other programs."
    ),
    "fields": Listed(
        "ask.fields", "List the fields of DATASET ('*': of all), or those that PATTERN means."
    ),
    "differs": Listed(
        "ask.differs",
        "Show in which fields selected events of DATASET ('*': of all) differ from its others.",
    ),
    "tail": Listed("ask.tail", "Follow the events of DATASET as they are indexed; Ctrl-C stops."),
    "states": Listed(
        "ask.states",
        "Show the states of instances: how often and how long each, what follows, who is where "
        "now.",
    ),
    "flow": Listed(
        "ask.flow",
        "Show which step follows which in an instance, and which steps ran at the same time.",
    ),
    "signature": Listed(
        "ask.signature", "Print the signature of the stack in FILE (or of standard input)."
    ),
    "trace": Listed("ask.trace", "Show the trace ID as a tree, from all datasets and all time."),
    "queries": Listed(
        "ask.queries", "Show what was asked in the environment of the key, the newest first."
    ),
    "mcp": Listed(
        "ask.mcp",
        "Answer agents over the Model Context Protocol: on stdin, or with --http on an address.",
    ),
    "marker": Listed("ask.marker", "Mark what happened when: a deployment, an incident, a test."),
    "env": Listed(
        "client.env", "Print the lines that set PATH, BELLWETHER_URL and BELLWETHER_KEY."
    ),
    "login": Listed(
        "client.servers", "Keep the server URL and its key under NAME, for `--server NAME`."
    ),
    "logout": Listed("client.servers", "Forget the server NAME and its key."),
    "servers": Listed(
        "client.servers",
        "List the servers that `login` keeps, without their keys; with NAME make it the default.",
    ),
    "status": Listed(
        "operate.status", "Show roles, partitions, lag, live rows, last cut and space."
    ),
    "snapshot": Listed(
        "operate.snapshot",
        "Cut every partition now and wait until all of it is in the object store.",
    ),
    "cut": Listed(
        "operate.snapshot",
        "Cut every partition now and wait until all of it is in the object store.",
        "snapshot",
    ),
    "segments": Listed("operate.segments", "Show which objects hold DATASET now."),
    "verify": Listed("operate.verify", "Check everything that was stored, also while `up` runs."),
    "unnamed": Listed(
        "operate.unnamed", "List objects that no document names; no answer reads them."
    ),
    "damage": Listed("operate.damage", "List records that cannot be read."),
    "rolling-restart": Listed(
        "operate.rolling_restart",
        "Restart processes one at a time, zone by zone: no partition and no role is ever left "
        "alone.",
        "rolling_restart",
    ),
    "bootstrap": Listed(
        "operate.bootstrap",
        "Tell what an indexer on an empty disk has to fetch and replay, or rehearse it.",
    ),
    "retention": Listed(
        "operate.retention",
        "Show what would expire by this machine's clock, what waits for a word, what can come "
        "back.",
    ),
    "metadata": Listed(
        "operate.metadata",
        "Teams, keys (hashed), datasets, queries and markers, kept in the object store too.",
    ),
    "doctor": Listed(
        "operate.doctor",
        "Check configuration, clock, disk, permissions and ports, and tell the remedy.",
    ),
    "keys": Listed(
        "operate.admin",
        "API keys of this machine's data folder, or of the cluster that the settings name.",
    ),
    "environments": Listed(
        "operate.admin",
        "Environments of this machine's data folder, or of the cluster that the settings name.",
    ),
    "datasets": Listed(
        "operate.admin",
        "Datasets of this machine's data folder, or of the cluster that the settings name.",
    ),
    "settings": Listed(
        "run.settings", "Show every setting with its value, its source and what it does."
    ),
    "docs": Listed("run.docs", "Check that the generated files in docs/ match the declarations."),
    "version": Listed("run.version", "Print the version of Bellwether and of what it stands on."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named, and whose errors are messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, listed in COMMANDS.items() if not listed.hidden]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        module = importlib.import_module(f"bellwether.commands.{listed.module}")
        command: click.Command = getattr(module, listed.name or cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(n, COMMANDS[n].help) for n in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [
            CompletionItem(name, help=listed.help)
            for name, listed in COMMANDS.items()
            if name.startswith(incomplete) and not listed.hidden
        ]
        return names + click.Command.shell_complete(self, ctx, incomplete)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = difflib.get_close_matches(args[0], COMMANDS, n=2)
            if not near:
                raise
            hint = f"{error.message} Did you mean {' or '.join(near)}?"
            raise click.UsageError(hint, ctx) from error
        except ModuleNotFoundError as error:
            _say_what_is_not_installed(error)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ClientError as error:
            raise click.ClickException(str(error)) from error
        except ModuleNotFoundError as error:
            _say_what_is_not_installed(error)
        except KeyboardInterrupt:
            sys.exit(_INTERRUPTED)


def _say_what_is_not_installed(error: ModuleNotFoundError) -> NoReturn:
    package = (error.name or "").partition(".")[0]
    extra = "assistant" if package in ASSISTANT_PACKAGES else "server"
    if extra == "server" and package not in SERVER_PACKAGES:
        raise error
    raise click.ClickException(
        f"only Bellwether's client is installed here ({error.name} is missing): "
        f"pip install 'bellwether[{extra}]', or the wheel's file with [{extra}], brings the rest"
    ) from error


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="bellwether")
def cli() -> None:
    """Bellwether: send wide events, ask questions about any field a second later."""


def main() -> None:
    """Run the command that the arguments name."""
    prepare_streams()
    try:
        cli(prog_name="bellwether")
    except OSError as error:
        if not output_is_lost():
            raise
        click.echo(f"Error: the output could not be written whole: {error.strerror}", err=True)
        sys.exit(1)
    except UnicodeEncodeError as error:
        if not any("\udc80" <= c <= "\udcff" for c in str(error.object)):
            raise
        # the terminal's encoding and what was typed into it do not fit
        click.echo("Error: an argument or a variable is not written in UTF-8", err=True)
        sys.exit(2)
