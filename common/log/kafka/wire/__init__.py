"""What brokers and this client send each other: requests, record batches, error codes."""
