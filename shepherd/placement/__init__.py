"""Which partition a record goes to: health of brokers and partitions, ejection (I1)."""
