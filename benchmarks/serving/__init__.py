"""Real server processes under measurement, and the client that sends to them."""
