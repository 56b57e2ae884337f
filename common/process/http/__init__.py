"""HTTP listeners of every role: which connections are let in, which requests are read, their end.

descriptors        how many files a process may have open, and how many connections that allows
connection_limits  which connections are let in, and which idle one is closed to make room
acceptor           accepts connections within these limits
connection         one connection: finds requests, has them answered, refuses what is not one
fast_path          what a role may give its connections: requests answered without aiohttp
request_head       the heads that are read: a strict reading of HTTP/1.1
body_frame         where a request's body ends
body_reader        bodies as routes read them, within a size and a time
refusal            refusals as bytes
service            what the connections of one listener share: who answers, time-outs
serving            an aiohttp application behind all of that
"""
