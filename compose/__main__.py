"""`python -m compose`: run, look at and break a cluster of Bellwether on this machine."""

import os
import sys
from pathlib import Path

import click

from compose import docker
from compose.cluster.commands import FAULTS, PART_COMMANDS
from compose.cluster.control import NotRunning, Request, send_request
from compose.cluster.launcher import Launcher
from compose.cluster.stopping import stop_and_wait
from compose.install import PACKAGES, InstallFailed, ensure
from compose.processes.host import Host
from compose.topology import Topology
from compose.yaml_text import write_yaml

HEAD = """\
# A cluster of Bellwether for machines with Docker: docs/cluster.md.
# Generated from compose/topology.py by `python -m compose yaml --write`; do not edit.
"""

DATA = click.option(
    "--data", type=click.Path(path_type=Path), default=Path("cluster"), show_default=True,
    help="Folder that holds everything the cluster keeps.",
)  # fmt: skip


@click.group()
def main() -> None:
    """The whole cluster of Bellwether, with its servers, as plain processes of this machine."""


@main.command()
@DATA
@click.option("--zones", default="a,b,c", show_default=True, help="Zones, with commas.")
@click.option("--indexers", default=1, show_default=True, help="Indexers in each zone.")
@click.option("--shepherds", default=3, show_default=True, help="Shepherds, over all zones.")
@click.option("--queries", default=2, show_default=True, help="Query roles, over all zones.")
@click.option("--partitions", default=12, show_default=True, help="Partitions of a new log.")
@click.option("--direct", is_flag=True, help="Without the proxy that makes links fail.")
def up(
    data: Path, zones: str, indexers: int, shepherds: int, queries: int, partitions: int,
    direct: bool,
) -> None:  # fmt: skip
    """Start servers and roles; Ctrl-C stops them. Installs the servers the first time."""
    try:
        topology = Topology(
            zones=tuple(zones.split(",")),
            indexers_per_zone=indexers,
            shepherds=shepherds,
            queries=queries,
            partitions=partitions,
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(Launcher(data, topology, Host.here(), direct=direct).run())


@main.command()
def install() -> None:
    """Fetch what is missing of the servers into the cache; says what this machine lacks."""
    host = Host.here()
    failed = False
    for name in PACKAGES:
        try:
            print(f"{name}: {ensure(host, name, print)}")
        except InstallFailed as error:
            failed = True
            print(f"{name}: not installed. {error}")
    if failed:
        print("without these, tests that need them are skipped")
    sys.exit(1 if failed else 0)


@main.command()
@click.option("--write", is_flag=True, help="Write compose/compose.yaml instead of printing.")
def yaml(write: bool) -> None:
    """The same topology as a compose file for Docker."""
    text = compose_text()
    if write:
        docker.FILE.write_text(text, "utf-8")
        print(f"wrote {docker.FILE}")
    else:
        print(text, end="")


@main.command()
def secrets() -> None:
    """Make the secrets that compose.yaml names, where they are missing."""
    for path in docker.make_secrets(docker.SECRETS, os.urandom):
        print(f"made {path}")
    print(f"the first key is in {docker.SECRETS / 'key'}")


def compose_text() -> str:
    """compose/compose.yaml."""
    return HEAD + write_yaml(docker.document(Topology()))


@main.command()
@DATA
def status(data: Path) -> None:
    """Every process: whether it runs and is ready, its pid and address."""
    _ask(data, Request("status"))


@main.command()
@DATA
@click.option(
    "--timeout", default=180, show_default=True, help="Seconds to wait; it goes on stopping then."
)
def stop(data: Path, timeout: int) -> None:
    """Stop the whole cluster cleanly, and wait until all of it has ended."""
    sys.exit(stop_and_wait(data, timeout, print))


@main.command()
@DATA
@click.argument("name")
@click.option("--lines", default=50, show_default=True)
def logs(data: Path, name: str, lines: int) -> None:
    """The last lines that a process has printed."""
    path = data / "logs" / f"{Path(name).name}.log"
    try:
        text = path.read_text("utf-8", "replace")
    except OSError as error:
        known = " ".join(sorted(p.stem for p in (data / "logs").glob("*.log")))
        raise click.ClickException(f"no log of {name}; there are: {known}") from error
    print("\n".join(text.splitlines()[-lines:]))


@main.command()
@DATA
@click.argument("kind", type=click.Choice(FAULTS))
@click.argument("links", nargs=-1)
@click.option("--number", default=0, help="Milliseconds of latency and reset, KB/s of limit.")
def fault(data: Path, kind: str, links: tuple[str, ...], number: int) -> None:
    """Break links between clients and servers (all without LINKS), or heal them."""
    options = {"kind": kind, "number": str(number)}
    _ask(data, Request("fault", list(links), options))


def _add_part_command(name: str, text: str) -> None:
    @DATA
    @click.argument("names", nargs=-1, required=True)
    @click.option("--stay-down", is_flag=True, help="A killed role is not started again.")
    def command(data: Path, names: tuple[str, ...], stay_down: bool) -> None:
        _ask(data, Request(name, list(names), {"stay_down": "1"} if stay_down else {}))

    main.command(name, help=text)(command)


_TEXTS = {
    "start": "Start processes that are down.",
    "stop-part": "Stop processes cleanly; they stay down.",
    "kill": "SIGKILL processes: kafka-1, indexer-a, shepherd, zone:b ...",
    "pause": "SIGSTOP processes: they keep their connections and answer nothing.",
    "resume": "SIGCONT processes.",
    "restart": "Stop processes and start them again.",
    "wipe": "Kill roles and destroy their disks; `start` brings them back, empty.",
}
for _name in PART_COMMANDS:
    _add_part_command(_name, _TEXTS[_name])


def _ask(data: Path, request: Request) -> None:
    try:
        reply = send_request(data, request)
    except NotRunning as error:
        raise click.ClickException(str(error)) from error
    print("\n".join(reply.lines))
    sys.exit(0 if reply.ok else 1)


if __name__ == "__main__":
    main(prog_name=Host.here().command)
