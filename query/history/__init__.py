"""Who asked what: the events of questions in the dataset `bellwether` of their environment."""
