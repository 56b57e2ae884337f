"""The public port: serves requests for events, and forwards others to a query role.

application     the aiohttp application: all routes
fast_path       serves requests for events without aiohttp
request_head    the heads that the fast path reads: a strict subset of HTTP/1.1
request         a request for events and its response, of both the fast path and aiohttp
response_bytes  responses of the fast path as bytes
body            encodings and decompression
authentication  the API key of a request
cors, origins   pages in browsers that send events
query_proxy     forwards everything that is not ingest to a query role
tls             certificates
"""
