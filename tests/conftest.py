"""What every test shares: how property tests choose their examples, which tests a run has, and what
is printed at its end.

On a developer's machine examples are new in every run: so rare ones are found by somebody who can
look into them, prints how to run them again, and keeps them in `.hypothesis`. In continuous
integration (`CI` is set) they are the same in every run, so that a change is judged by what it
changed, and not by an example that no one before it happened to meet. A rare one that was found
becomes an `@example` of its test. Neither has a deadline, nor a limit to how long examples take to
be drawn: that a machine is slow or busy is no fault of the code.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, settings

from tests.system import counts

pytest_plugins = ["tests.servers"]

settings.register_profile(
    "local", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("local"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


SLOWEST_FILES = 15
_SERVERS = {"kafka", "mysql", "s3", "zookeeper"}  # parameters of tests that need one of them


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show which files took longest, and what the scenarios counted."""
    seconds: Counter[str] = Counter()
    tests: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                file = report.nodeid.partition("::")[0]
                seconds[file] += report.duration
                tests[file] += report.when == "call"
    if seconds:
        terminalreporter.section("slowest files")
        terminalreporter.write_line(f"{'seconds':>8} {'tests':>6}  file")
        for file, took in seconds.most_common(SLOWEST_FILES):
            terminalreporter.write_line(f"{took:8.1f} {tests[file]:6}  {file}")
        terminalreporter.write_line(f"{seconds.total():8.1f} {tests.total():6}  all")
    if counts.LINES:
        terminalreporter.section("what the scenarios counted")
        for line in counts.LINES:
            terminalreporter.write_line(line)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a parameter of bytes that are no text by its place: a process of its own for each core
    must find the same names, and packed bytes may hold the moment at which they were made.
    """
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return argname
    return None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--scenarios`, `--quick`, `--together` and `--alone`."""
    parser.addoption(
        "--scenarios", action="store_true", help="run only what breaks a whole cluster, for minutes"
    )
    parser.addoption(
        "--quick",
        action="store_true",
        help="run units and contracts alone: no servers, no processes of Bellwether, nothing long",
    )
    parser.addoption(
        "--together",
        action="store_true",
        help="run what may share a machine with other tests: the quick ones and long work",
    )
    parser.addoption(
        "--alone",
        action="store_true",
        help="run what starts a whole Bellwether or needs servers, but for scenarios",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Scenarios run on demand alone, and then nothing else does.

    Files with long tests come first: on several cores one that began last would keep all others
    waiting. Tests that need servers come last: servers stay until the end, and take a core of all
    tests that come after them.
    """
    scenarios, quick, together, alone = (
        bool(config.getoption(f"--{name}")) for name in ("scenarios", "quick", "together", "alone")
    )
    left = {
        item
        for item in items
        if (item.get_closest_marker("scenario") is None) == scenarios
        or (quick and (_needs_machine(item) or _is_long(item)))
        or (together and _needs_machine(item))
        or (alone and not _needs_machine(item))
    }
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]
    if together:
        long = {item.path for item in items if _is_long(item)}
        items.sort(key=lambda item: item.path not in long)  # stable: else as they were
    if alone:
        items.sort(key=lambda item: (_needs_cluster(item), _needs_servers(item)))


def _is_long(item: pytest.Item) -> bool:
    return item.get_closest_marker("slow") is not None


def _needs_machine(item: pytest.Item) -> bool:
    """Whether a test starts whole processes of Bellwether or servers beside it."""
    return item.get_closest_marker("system") is not None or _needs_servers(item)


def _needs_cluster(item: pytest.Item) -> bool:
    """Whether it needs the session's cluster (tests/cluster), not one of its own on the servers."""
    names = getattr(item, "fixturenames", ())
    return "cluster" in names and "servers" not in names


def _needs_servers(item: pytest.Item) -> bool:
    if "servers" in getattr(item, "fixturenames", ()) or _needs_cluster(item):
        return True
    call = getattr(item, "callspec", None)
    return call is not None and bool(
        _SERVERS & {value for value in call.params.values() if isinstance(value, str)}
    )
