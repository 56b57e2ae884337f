"""The shepherd takes events: authenticate, decode, batch, append, acknowledge (I1, I2, I8, I9).

http/         connections, heads and bodies of requests of any protocol
honeycomb/    the vendor's ingest protocol; another protocol gets a folder of its own
protocol      the base class of ingest protocols
accept        the steps of an ingest request that are the same for every protocol
runs, lines   the decoded events of a request, and the outcome of each event
datasets/     resolves dataset names to datasets
admission/    limits: events by key, bytes and requests by environment and key
delivery/     lines to records, records to the log
placement/    which partition a record goes to
wiring        builds the parts, and lists the protocols
server        listens, runs, drains
"""
