"""HTTP listeners of every role: who is let in, which requests are read, when connections end.

descriptors  how many files a process may have open, and how many connections that allows
room         who is let in, and which idle connection is closed to make room
acceptor     accepts connections within that room
request_head the requests that are read: a strict reading of HTTP/1.1's heads
body_frame   where a request's body ends
gate         one connection: passes one request at a time to aiohttp, refuses what is not one
serving      an aiohttp application behind all of that
"""
