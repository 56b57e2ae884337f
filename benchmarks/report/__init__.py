"""A run's results shown: in the terminal, as a picture, as a page of the documentation."""
