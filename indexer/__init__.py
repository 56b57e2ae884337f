"""The indexer: claims partitions, consumes their log, and serves and publishes rows (I2, I3, I5).

Claim: the announcement in the locks that an indexer works on a partition.
Twin: the other indexer of a partition, in another zone.
Shredding: turning the JSON lines of records into columns.
Cut: an offset at which a partition's rows are divided; the rows before it become segments.
Marker: a control record that cuts; an hour marker also closes an hour of the log's time.
Share: an indexer's part of a query.
Damaged record: the log's copy cannot be read. Settled: an operator has counted it as lost.
Rerouted batch: a batch sent to another partition after an append whose outcome was unknown. It is
undecided until the logs show which copy counts.
Void: a record that asks a partition about such a batch, and bars later first copies of it there.
"""
