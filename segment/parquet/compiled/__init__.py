"""The compiled kernel as the encoders of the writer."""
