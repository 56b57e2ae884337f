"""The OpenAPI document of everything that the public address serves."""
