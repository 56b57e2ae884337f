"""Signatures of exceptions: one short text for one fault, whatever build its stack comes from."""
