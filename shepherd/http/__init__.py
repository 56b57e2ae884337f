"""The public listener: requests for events are read here, all others by aiohttp.

head        the heads that are read here: a strict subset of HTTP/1.1
connection  one connection: takes such requests, hands over what is anything else
listener    the open connections of a port: their time-outs, their end
answers     answers as bytes
"""
