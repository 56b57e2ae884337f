"""The command line."""


def main() -> None:
    """Run the command that the arguments name."""
