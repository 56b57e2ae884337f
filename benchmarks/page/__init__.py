"""What the page costs in a real browser: `python -m benchmarks page`."""
