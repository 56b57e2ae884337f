"""What is known of the values of all rows of a share: SQL needs no branches for what never is."""
