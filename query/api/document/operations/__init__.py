"""The operations of the public address, by what they are for."""
