"""An empty disk to a serving partition: newest manifest, segments, where to replay from (I5)."""
