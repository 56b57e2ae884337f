"""The program that is watched. Its builds differ in lines, and build 41 in a fault.

python shop.py BUILD ORDER
"""

import sys

AMOUNTS = {"book": 12, "pen": 3}


def price(name: str) -> int:
    """Of one thing."""
    return AMOUNTS[name]


def total(order: list[str]) -> int:
    """Of all things of an order."""
    return sum(price(name) for name in order)


def discount(build: int, amount: int) -> float:
    """Build 41 divides by what may be zero."""
    return amount / (amount - 15) if build == 41 else amount * 0.9


def main() -> None:
    """Print what an order costs."""
    build, order = int(sys.argv[1]), sys.argv[2].split(",")
    sys.stdout.write(f"{discount(build, total(order))}\n")


main()
