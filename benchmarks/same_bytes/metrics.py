"""What `/metrics` of the roles declares: names, types, help texts, labels. Values are left out."""

import json
import re
from urllib.request import Request, urlopen

from benchmarks.two_builds import Installation

_SAMPLE = re.compile(r"^([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? ")
_LABEL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)="(?:[^"\\]|\\.)*"')


def members(running: Installation) -> dict[str, str]:
    """The internal address of each role."""
    asked = Request(f"{running.url}/bw/1/status", headers={"X-Honeycomb-Team": running.key})
    with urlopen(asked, timeout=30) as answer:
        return {one["role"]: one["url"] for one in json.load(answer)["roles"]}


def declared(running: Installation) -> dict[str, str]:
    """By role and metric: its comment lines, and the label names of its samples."""
    found: dict[str, str] = {}
    for role, url in members(running).items():
        with urlopen(f"{url}/metrics", timeout=30) as answer:
            text = answer.read().decode()
        for line in text.splitlines():
            if line.startswith("#"):
                _, kind, name, rest = line.split(" ", 3)
                found[f"{role} {kind} {name}"] = rest
            elif sample := _SAMPLE.match(line):
                labels = ",".join(_LABEL.findall(sample[2] or ""))
                found[f"{role} labels {sample[1]}"] = labels
    return found
