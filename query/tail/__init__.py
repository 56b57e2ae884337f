"""`/bw/1/tail`: events as they are indexed, from all partitions."""
