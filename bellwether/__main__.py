"""`python -m bellwether`."""

from bellwether.cli import main

main()
