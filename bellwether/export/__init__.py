"""`bellwether export`: the events of a question as one file that other programs read."""
