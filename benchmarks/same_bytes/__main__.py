"""`python -m benchmarks.same_bytes OTHER_CHECKOUT`: exit code 1 if anything differs."""

import pickle
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

import click

from benchmarks.same_bytes import (
    cli,
    corpus,
    exchange,
    folders,
    masks,
    metrics,
    mixed,
    questions,
    requests,
)
from benchmarks.same_bytes.build import Build
from benchmarks.same_bytes.report import Report
from benchmarks.two_builds import ROOT, Installation

_PARTS = ("cli", "inside", "running", "folders", "mixed")
_FAST_PATH = "shepherd.fast_path"
_SETTINGS = """
[log]
partitions = 1
[shepherd]
kernel = false
cors_origins = "https://page.example"
"""


def run_inside(build: Build, documents: dict[str, bytes]) -> dict[str, dict[str, str]]:
    """Findings within the build's own modules."""
    given, output = build.scratch / "given.pickle", build.scratch / "found.pickle"
    bodies = [tuple(one) for one in corpus.bodies()]
    given.write_bytes(pickle.dumps((bodies, documents)))
    folder = build.scratch / "inside"
    paths = [build.checkout, given, output, folder, build.kernel_folder]
    code, text = build.inside(*map(str, paths))
    if code != 0:
        raise RuntimeError(f"{build.name}: {text}")
    found: dict[str, dict[str, str]] = pickle.loads(output.read_bytes())
    return found


def run_up(build: Build, moment_s: int) -> dict[str, dict[str, str]]:
    """Findings of a running build on a data folder of its own, which is kept."""
    with build.up(build.scratch / "own", _SETTINGS) as running:
        found = {"HTTP answers": _public_answers(running, moment_s)}
        token = (running.folder / "data" / "secrets" / "internal-token").read_text().strip()
        internal: dict[str, str] = {}
        for role, url in metrics.members(running).items():
            host, port = url.removeprefix("http://").split(":")
            asked = requests.internal(token, role)
            internal |= exchange.answers((host, int(port)), asked, {token: "<token>"})
        found["HTTP answers of roles"] = internal
        receipt = questions.send(running, moment_s)
        (build.scratch / "receipt").write_text(receipt)
        found["answers to queries"] = questions.answers(running, moment_s, receipt)
        found["commands of the client"] = questions.commands(running, build, moment_s)
        found["/metrics"] = metrics.declared(running)
        questions.call(running, "POST", "/bw/1/cut", "{}")
        found["answers after a cut"] = questions.answers(running, moment_s, receipt)
        found["status"] = {"shape": masks.shape(questions.status(running))}
    found["data folder"] = folders.described(build.scratch / "own" / "data")
    return found


def answers_without_fast_path(build: Build, moment_s: int) -> dict[str, str]:
    """Answers to the same requests where aiohttp reads all of them."""
    settings = f"{_SETTINGS}fast_path = false\n"
    with build.up(build.scratch / "slow", settings) as running:
        return _public_answers(running, moment_s)


def _public_answers(running: Installation, moment_s: int) -> dict[str, str]:
    host, port = running.url.removeprefix("http://").split(":")
    sent = requests.Requests(running.key, moment_s).all()
    return exchange.answers((host, int(port)), sent, {running.key: "<key>"})


def _with_sorted_headers(found: dict[str, str]) -> dict[str, str]:
    return {name: masks.with_sorted_headers(text) for name, text in found.items()}


def run_swapped(build: Build, owner: Build, moment_s: int) -> tuple[dict[str, str], dict[str, str]]:
    """Answers of a build on a copy of the owner's folder, and what is wrong with it afterwards."""
    copy = build.scratch / "swapped"
    shutil.copytree(owner.scratch / "own", copy)
    receipt = (owner.scratch / "receipt").read_text()
    with build.up(copy, _SETTINGS) as running:
        answers = questions.answers(running, moment_s, receipt, brief=True)
        status, _, text = questions.call(running, "POST", "/bw/1/cut", "{}")
    wrong = {} if status == 200 else {"cut": text}
    verified = build.bellwether("verify", "--data", str(copy / "data"))
    return answers, wrong if verified.endswith("[exit 0]") else wrong | {"verify": verified}


def compare(report: Report, this: Build, that: Build, parts: set[str]) -> None:
    """Print a line for each set of findings."""
    builds = (this, that)
    moment_s = int(time.time()) // 3_600 * 3_600 - 7_200  # two hours before this one
    if "cli" in parts:
        for what, find in (
            ("help texts", cli.help_texts), ("errors of commands", cli.errors),
            ("settings", cli.settings), ("generated pages", cli.pages),
        ):  # fmt: skip
            report.compare(what, find(this), find(that))
    if {"running", "folders"} & parts:
        mine, theirs = (run_up(build, moment_s) for build in builds)
        for what, found in mine.items():
            report.compare(what, found, theirs[what])
        for build, expected in ((this, theirs), (that, mine)):
            if _FAST_PATH in cli.settings(build):
                slow = answers_without_fast_path(build, moment_s)
                what = f"HTTP answers of {build.name} without the fast path"
                quick = expected["HTTP answers"]
                report.compare(what, *map(_with_sorted_headers, (slow, quick)))
    if "folders" in parts:
        for build, owner, known in ((this, that, theirs), (that, this, mine)):
            answers, wrong = run_swapped(build, owner, moment_s)
            before = {name: known["answers after a cut"].get(name, "") for name in answers}
            what = f"{owner.name}'s folder, opened by {build.name}"
            report.compare(f"{what}: answers", answers, before)
            report.expect(f"{what}: verify", wrong)
    if "inside" in parts:
        kept = folders.documents(that.scratch / "own" / "data")
        mine, theirs = (run_inside(build, kept) for build in builds)
        for what in dict.fromkeys((*mine, *theirs)):
            if mine.get(what) or theirs.get(what):
                report.compare(what, mine.get(what, {}), theirs.get(what, {}))
    if "mixed" in parts:
        mixed.run(report, this, that, moment_s)


_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command()
@click.argument("other", type=_FOLDER)
@click.option("--this", "own", default=ROOT, type=_FOLDER, help="Compare this one instead.")
@click.option("--only", multiple=True, type=click.Choice(_PARTS), help="These parts alone.")
@click.option(
    "--without", default="", help="Leave out names and lines in which this expression is found."
)
@click.option("--show", default=1, show_default=True, help="Differences to print of each set.")
@click.option(
    "--write", type=click.Path(path_type=Path), help="Folder for both versions of what differs."
)
def main(
    other: Path, own: Path, only: tuple[str, ...], without: str, show: int, write: Path | None
) -> None:
    """Compare this checkout with OTHER, the folder of another one."""
    begin_s = time.monotonic()
    report = Report(show, write, re.compile(without) if without else None)
    root = Path(tempfile.mkdtemp(prefix="same-bytes-"))
    kernels = Path.home() / ".cache" / "bellwether" / "two-builds"
    try:
        this = Build("this", own.resolve(), kernels, root / "this")
        that = Build("other", other.resolve(), kernels, root / "other")
        this.scratch.mkdir()
        that.scratch.mkdir()
        compare(report, this, that, set(only or _PARTS))
    finally:
        shutil.rmtree(root, ignore_errors=True)
    verdict = f"{report.differences} differences" if report.differences else "all the same"
    print(f"{verdict}: {report.compared} compared in {time.monotonic() - begin_s:.0f} s")
    sys.exit(1 if report.differences else 0)


if __name__ == "__main__":
    main()
