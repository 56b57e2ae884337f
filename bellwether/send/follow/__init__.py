"""`bellwether send --follow`: ship a log while it is written, over rotations and restarts."""
