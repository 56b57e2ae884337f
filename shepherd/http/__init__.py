"""The public port: requests for events are answered here, others by a query role.

application     the aiohttp application: all routes
fast_path       requests for events that are answered without it
request_head    the heads that the fast path reads: a strict subset of HTTP/1.1
request         a request for events and its response, on both ways
response_bytes  responses of the fast path as bytes
body            encodings and decompression
authentication  the API key of a request
cors, origins   pages in browsers that send events
query_proxy     everything that is not ingest goes to a query role
tls             certificates
"""
