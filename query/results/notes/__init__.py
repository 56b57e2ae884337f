"""What is said beside the rows of an answer: what it covers, and what the query did not use."""
