"""A question asked a second time, over an earlier range: its answer stands beside the first."""
