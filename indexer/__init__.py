"""The indexer: claims partitions, consumes their log, and serves and publishes rows (I2, I3, I5).

Claim: the announcement in the locks that an indexer works on a partition.
Twin: the other indexer of a partition, in another zone.
Shredding: turning the JSON lines of records into columns.
Cut: an offset at which a partition's rows are divided; its rows become segments.
Share: an indexer's part of a query.
Damaged record: the log's copy cannot be read. Settled: an operator has counted it as lost.
Void: a record that forbids later first copies of a rerouted batch to count in a partition.
"""
