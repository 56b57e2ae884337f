"""`cluster stop` from another terminal: stop the launcher, and wait until all has ended."""

import time
from collections.abc import Callable
from pathlib import Path

from compose.cluster.control import NotRunning, Request, send_request
from compose.cluster.launcher import LOCK, held

_LOOK_S = 0.3
EXIT_LEFT = 1  # something still ran when the time was over, or nothing could be stopped


def stop_and_wait(folder: Path, timeout_s: float, say: Callable[[str], None]) -> int:
    """Stop the cluster of this folder and report what still runs; returns the exit code."""
    begin_s = time.monotonic()
    try:
        reply = send_request(folder, Request("stop"))
    except NotRunning as error:
        if not _is_held(folder):
            say(f"Error: {error}")
            return EXIT_LEFT
        reply = None  # it is stopping already, or still starting
    for line in reply.lines if reply else ["it starts or stops already; waiting for its end"]:
        say(line)
    running: list[str] = []
    while _is_held(folder):
        if time.monotonic() - begin_s > timeout_s:
            say(
                f"not stopped after {timeout_s:g} s: {_names(running)} still run; "
                "it goes on stopping "
                "(a third Ctrl-C in its own terminal ends everything at once)"
            )
            return EXIT_LEFT
        left = _left(folder)
        if left is not None and left != running:
            running = left
            say(f"waiting for {_names(left)}")
        time.sleep(_LOOK_S)
    say(f"stopped in {time.monotonic() - begin_s:.0f} s")
    return 0


def _left(folder: Path) -> list[str] | None:
    """The parts that still run; None if the launcher does not respond."""
    try:
        return send_request(folder, Request("left")).lines
    except NotRunning:  # it is about to end
        return None


def _names(left: list[str]) -> str:
    return ", ".join(left) or "its launcher"


def _is_held(folder: Path) -> bool:
    path = folder / LOCK
    if not path.exists():
        return False
    with held(path) as lock:
        return lock is None
