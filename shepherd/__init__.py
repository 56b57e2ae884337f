"""The shepherd takes events: authenticate, decode, batch, append, acknowledge (I1, I2, I8, I9).

http/         connections, heads and bodies of requests, whatever their protocol
honeycomb/    an ingest protocol: the vendor's; another one is another folder beside it
protocol      what a protocol is to the shepherd
accept        the way of a request for events that is the same for every protocol
runs, lines   what protocols decode to, and what became of each event
datasets/     which dataset a request means
admission/    what is let in: events by key, bytes and requests by environment and key
delivery/     lines to records, records to the log
placement/    which partition a record goes to
wiring        builds the parts, and lists the protocols
server        listens, runs, drains
"""
