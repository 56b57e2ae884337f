"""The Parquet format: its numbers, and the protocol of its headers and footers."""
