"""Tokens of texts that people type: of queries and of expressions. Only the standard library and
`common` are imported, so that commands start fast.
"""
