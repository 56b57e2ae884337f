"""Counts that scenarios print: shown together at the end of a test run, also when all is well."""

LINES: list[str] = []


def show(line: str) -> None:
    """Print a line now (for `-s`) and keep it for the end of the run."""
    print(f"\n{line}")
    LINES.append(line)
