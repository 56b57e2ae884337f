"""How client commands reach a Bellwether.

What is imported here costs next to nothing, so that a question on the command line starts at once.
`caller` asks one thing after another; `session` (aiohttp) many at once, or reads a stream.
"""

from bellwether.client.errors import ClientError
from bellwether.client.target import Target, find_target, running_up, running_url

__all__ = ["ClientError", "Target", "find_target", "running_up", "running_url"]
