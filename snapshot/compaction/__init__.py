"""Several published segments put together into one object, the output; its inputs stay known."""
