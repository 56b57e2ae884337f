"""HTTP listeners of every role: connection limits, strict parsing of requests, draining.

descriptors        how many files a process may have open, and how many connections that allows
connection_limits  which connections are accepted, and which idle ones are closed for others
acceptor           accepts connections within these limits
connection         one connection: finds requests, dispatches them, refuses malformed ones
fast_path          the protocol of a role's fast path, which serves requests without aiohttp
request_head       a strict parser of HTTP/1.1 request heads
body_frame         where a request's body ends
body_reader        bodies as routes read them, within a size and a time
refusal            refusals as bytes
service            the shared state of a listener's connections: handlers and time-outs
serving            an aiohttp application behind all of that
"""
