"""What `bellwether states` and `bellwether flow` ask and print."""
