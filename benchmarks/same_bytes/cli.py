"""The command line of a build: help texts, errors, settings, and the pages that are generated."""

import re

from benchmarks.same_bytes.build import Build, all_of

_COMMAND = re.compile(r"^  ([a-z][a-z-]*)(?:  |$)", re.MULTILINE)
_HIDDEN = ("all-roles",)
_ERRORS: tuple[tuple[str, ...], ...] = (
    ("nonsense",),
    ("quer",),
    ("query", "web"),
    ("query", "web", "COUNT", "--explain"),
    ("query", "web", "COUNT, P99(duration_ms) WHERE status >= 500 GROUP BY service", "--explain"),
    ("query", "web", "COUNT WHERE (a = 1", "--explain"),
    ("query", "web", "COUNTS", "--explain"),
    ("query", "web", "COUNT", "--url", "http://127.0.0.1:1", "--key", "k"),
    ("send", "web", "/nowhere/at-all", "--url", "http://127.0.0.1:1", "--key", "k"),
    ("rows",),
    ("verify", "--data", "nowhere"),
    ("status", "--data", "nowhere"),
    ("up", "--set", "nothing.at=all"),
    ("up", "--set", "shepherd.port=x"),
    ("up", "--set", "backends.log=kafka"),
    ("settings", "--set", "shepherd.prt=1"),
    ("keys", "--data", "nowhere", "list"),
    ("servers",),
    ("login", "x"),
    ("docs",),
    ("version",),
    ("--version",),
)  # fmt: skip


def help_texts(build: Build) -> dict[str, str]:
    """`--help` of every command, of commands in groups too, by its words."""
    found = all_of(build, [("--help",)])
    waiting: list[tuple[str, ...]] = [
        (name, "--help") for name in (*_commands(found["--help"]), *_HIDDEN)
    ]
    while waiting:
        texts = all_of(build, waiting)
        found |= texts
        waiting = [
            (*words[:-1], name, "--help")
            for words in waiting
            for name in _commands(texts[" ".join(words)])
        ]
    return found


def _commands(text: str) -> list[str]:
    _, heading, listed = text.partition("\nCommands:\n")
    return _COMMAND.findall(listed) if heading else []


def errors(build: Build) -> dict[str, str]:
    """What commands print that fail, or that need no server."""
    return {name: mask_folder(build, text) for name, text in all_of(build, _ERRORS).items()}


def mask_folder(build: Build, text: str) -> str:
    """Without the folders of the build."""
    text = text.replace(str(build.kernel_folder), "<kernels>")
    return text.replace(str(build.scratch), "<scratch>").replace(str(build.checkout), "<checkout>")


def settings(build: Build) -> dict[str, str]:
    """Every setting as `bellwether settings` prints it."""
    text = build.bellwether("settings", environ={"COLUMNS": "2000"})
    lines = [" ".join(line.split()) for line in text.splitlines()]
    return {line.split(" ", 1)[0]: mask_folder(build, line) for line in lines}


def pages(build: Build) -> dict[str, str]:
    """The generated pages; `bellwether docs` says whether they are what is generated."""
    docs = build.checkout / "docs"
    found = {name: (docs / name).read_text() for name in ("settings.md", "metrics.md", "alarms.md")}
    for path in sorted((docs / "monitoring").iterdir()):
        found[f"monitoring/{path.name}"] = path.read_text()
    found["bellwether docs"] = build.bellwether("docs")
    return found
