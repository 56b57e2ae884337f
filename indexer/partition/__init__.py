"""One partition: resumed, following its log, indexing, with its periodic upkeep."""
