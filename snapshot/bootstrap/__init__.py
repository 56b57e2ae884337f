"""From an empty disk to a serving partition: newest manifest, segments, replay position (I5)."""
