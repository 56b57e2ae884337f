"""What `bellwether up` prints: few lines, each with what to do next."""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import orjson
from rich.console import Console
from rich.text import Text

from bellwether.client.export import export_lines
from bellwether.output import output_console
from bellwether.supervisor.first_start import Prepared
from common.version import VERSION

_SAMPLE_EVENT = '{"service":"web","status":200,"duration_ms":12.5}'
_SAMPLE_SPEC = '{"query":{"calculations":[{"op":"COUNT"}]},"disable_series":true,"wait_s":10}'
_DOUBTS_SHOWN_MAX = 10
_SAMPLE_QUERY = "COUNT, P99(duration_ms) GROUP BY service"


def program(environ: Mapping[str, str]) -> str:
    """How this program is called from the shell that started it."""
    given = environ.get("BELLWETHER_LAUNCHER")
    if given:
        return given
    if shutil.which("bellwether", path=environ.get("PATH")):
        return "bellwether"
    return f"{shlex.quote(sys.executable)} -m bellwether"


def shorten(path: Path) -> str:
    """The path from the current folder if it lies below it, quoted for a shell."""
    try:
        return shlex.quote(str(path.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(path))


def readable(log_lines: list[str]) -> list[str]:
    """Log lines for a person: of a JSON line its message, error, and where an exception arose."""
    shown = []
    for line in log_lines:
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            shown.append(line)
            continue
        if not isinstance(entry, dict):
            shown.append(line)
            continue
        error = f": {entry['error']}" if "error" in entry else ""
        shown.append(f"{entry.get('level', '')} {entry.get('message', '')}{error}")
        shown += str(entry.get("exception", "")).splitlines()[-3:]
    return shown


class UpConsole:
    """Prints to one console; plain lines when it is not a terminal."""

    def __init__(self, console: Console, environ: Mapping[str, str]) -> None:
        self._console = console
        self._environ = environ

    def _line(self, text: str, style: str = "") -> None:
        # never wrapped and never parsed: commands must stay copyable, brackets must stay
        with suppress(OSError):  # output may go to a file on a full disk: the roles go on
            self._console.print(Text(text, style=style), soft_wrap=True, highlight=False)

    def welcome(
        self, url: str, data: Path, prepared: Prepared, grpc: str = "", *, page: bool = False
    ) -> None:
        """Address, key, and two commands to copy. grpc: where OTLP over gRPC is taken."""
        key_path = shorten(prepared.key_path)
        self._line(f"Bellwether {VERSION}", "bold")
        self._line(f"  address  {url}")
        if page and prepared.login_code:
            self._line(f"  page     {url}/ui/#login={prepared.login_code}")
            self._line("           this link logs in once, within ten minutes")
        elif page:
            self._line(f"  page     {url}/ui/")
        if grpc:
            self._line(f"  gRPC     {grpc} (OTLP)")
        self._line(f"  data     {data}")
        if prepared.new_key is not None:
            self._line(f"  key      {prepared.new_key}", "bold green")
            self._line(f"           shown only this once; kept in {key_path}")
        else:
            self._line(f"  key      in {key_path}")
        insecure = " -k" if url.startswith("https") else ""
        key = f'"X-Honeycomb-Team: $(cat {key_path})"'
        self._line("send an event:")
        self._line(
            f"  curl -s{insecure} {url}/1/events/hello -H {key} -d {shlex.quote(_SAMPLE_EVENT)}",
            "cyan",
        )
        self._line("ask:")
        self._line(
            f"  {program(self._environ)} query --data {shorten(data)} hello "
            f"{shlex.quote(_SAMPLE_QUERY)}",
            "cyan",
        )
        self._line(
            f"  curl -s{insecure} {url}/1/query_results/hello -H {key} "
            f"-d {shlex.quote(_SAMPLE_SPEC)}",
            "cyan",
        )
        self._line("or, for `bellwether` and curl in every folder of a shell:")
        for line in export_lines(data, url, self._environ):
            self._line(f"  {line}", "cyan")

    def warn_grpc(self, trouble: str) -> None:
        """Warn that OTLP comes in over HTTP alone."""
        self._line(f"OTLP over gRPC is not served: {trouble}.", "yellow")
        self._line(
            "  OTLP over HTTP is. Set shepherd.otlp_grpc_port to another port, or to -1 for none.",
            "yellow",
        )

    def warn_public(self, host: str, *, tls: bool) -> None:
        """Warn of what listening beyond this machine means."""
        self._line(f"listening on {host}: other machines can reach this address.", "yellow")
        if not tls:
            self._line(
                "  Keys and events travel in clear text: give shepherd.tls_cert and "
                "shepherd.tls_key, or put a TLS proxy in front (docs/operating.md).",
                "yellow",
            )

    def starting(self, labels: list[str]) -> None:
        self._line(f"starting {', '.join(labels)}")

    def ready(self, seconds: float) -> None:
        self._line(f"ready in {seconds:.1f} s; Ctrl-C stops", "bold green")

    def crashed(
        self, label: str, how: str, wait_s: float, log_path: Path, last_lines: list[str]
    ) -> None:
        """A role has ended by itself."""
        self._line(
            f"{label} {how}; starts again in {wait_s:.1f} s. Log: {shorten(log_path)}", "red"
        )
        for line in readable(last_lines)[-5:]:
            self._line(f"  | {line[:400]}", "dim")

    def running_again(self, label: str) -> None:
        self._line(f"{label} is ready again", "green")

    def disk_space(self, refusal: str | None) -> None:
        """Print whether the disk has space for events."""
        if refusal is None:
            self._line("the disk has room again: events are taken", "green")
        else:
            self._line(f"{refusal}; until then clients get 503, what is stored is served", "red")

    def stopping(self, label: str) -> None:
        self._line(f"stopping {label}")

    def stopped(self, clean: bool, doubts: Sequence[str]) -> None:
        """Print how it ended. doubts: reasons why an acknowledged event may not be stored."""
        if not clean:
            self._line(
                "stopped; a role had to be ended, the next start recovers its work", "yellow"
            )
        if clean and not doubts:
            self._line("stopped; everything acknowledged is stored")
        elif doubts:
            self._line("stopped; it is NOT known that everything acknowledged is stored:", "red")
            for doubt in doubts[:_DOUBTS_SHOWN_MAX]:
                self._line(f"  {doubt}", "red")
            if len(doubts) > _DOUBTS_SHOWN_MAX:
                self._line(f"  and {len(doubts) - _DOUBTS_SHOWN_MAX} more", "red")
            self._line(f"  `{program(self._environ)} verify` names everything that is damaged")


def new_console() -> UpConsole:
    """A console on standard output."""
    return UpConsole(output_console(), os.environ)
