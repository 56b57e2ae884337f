"""What an indexer passes of a partition, and what an answer from it may lack or count twice."""
