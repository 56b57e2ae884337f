"""The rows that are asked about, and the log that holds them."""
