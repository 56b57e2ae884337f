"""Runs a program on a small host and reports how it ended; of a crash, with its stack.

    python watch.py --build 41 -- ./program argument

One event per run by libhoney, which needs no more than this: BELLWETHER_URL, BELLWETHER_KEY.
Bellwether adds `exception.signature`, which is equal for one fault on all builds.
"""

import argparse
import os
import socket
import subprocess
import sys

import libhoney


def main() -> int:
    """Run the program; its exit code is this one's."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    libhoney.init(
        writekey=os.environ["BELLWETHER_KEY"],
        dataset="crashes",
        api_host=os.environ["BELLWETHER_URL"],
    )
    code = 0
    for _ in range(given.runs):
        done = subprocess.run(given.command, stderr=subprocess.PIPE, text=True, check=False)
        event = {"build": given.build, "host": socket.gethostname(), "exit_code": done.returncode}
        if done.returncode:
            event["exception.stacktrace"] = done.stderr
            code = done.returncode
        libhoney.send_now(event)
    libhoney.close()
    return code


if __name__ == "__main__":
    sys.exit(main())
