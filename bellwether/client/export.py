"""The lines that let a shell reach a Bellwether: where the program, the address and the key are."""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from bellwether.config.secrets import key_file


def export_lines(
    data: Path, url: str, environ: Mapping[str, str], dialect: str = "sh"
) -> list[str]:
    """The lines, with whole paths: they hold in every folder."""
    found: list[tuple[str, str]] = []
    programs = Path(sys.executable).parent  # of the environment, wherever its Python really is
    path = environ.get("PATH", "").split(os.pathsep)
    if (programs / "bellwether").exists() and str(programs) not in path:
        found.append(("PATH", f'{shlex.quote(str(programs))}:"$PATH"'))
    found.append(("BELLWETHER_URL", shlex.quote(url)))
    secret = key_file(data.absolute())
    if secret.exists():
        found.append(("BELLWETHER_KEY", f'"$(cat {shlex.quote(str(secret))})"'))
    if dialect == "sh":
        return [f"export {name}={value}" for name, value in found]
    return [f"set -gx {name} {_fish(name, value)}" for name, value in found]


def _fish(name: str, value: str) -> str:
    if name == "PATH":
        return value.replace(':"$PATH"', " $PATH")
    return value.replace('"$(', "(").removesuffix('"') if value.startswith('"$(') else value
