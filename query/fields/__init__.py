"""The fields of a dataset: POST counts them in a time range, GET tells of all that is stored."""
