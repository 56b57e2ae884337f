"""From events to acknowledged records: batches, retries, probes, backpressure (I1)."""
