"""`python -m benchmarks zipkin`: spans as Zipkin's JSON, against the same spans over OTLP/HTTP.

Measured as `otlp-storing` does: CPU of all processes until the spans are in published segments.
"""

import click
from rich.console import Console

from benchmarks.otlp.bodies import Form
from benchmarks.otlp.storing import QUICK, USUAL, Compared, measure
from benchmarks.otlp.ways import Way

COMPARED = (
    Compared(Way(Form.ZIPKIN), Way(Form.PROTOBUF), None),
    Compared(Way(Form.ZIPKIN), Way(Form.JSON), None),
)


@click.command()
@click.option("--seconds", default=45.0, show_default=True, help="Turns begin for so long.")
@click.option("--quick", is_flag=True, help="One small turn of each way, to see that it works.")
@click.option("--seed", default=1, show_default=True)
def main(seconds: float, quick: bool, seed: int) -> None:
    """CPU of all processes until spans are sealed: Zipkin v2 JSON, OTLP protobuf and OTLP/JSON."""
    measure(COMPARED, QUICK if quick else USUAL, seconds, seed, Console(width=120))


if __name__ == "__main__":
    main()
