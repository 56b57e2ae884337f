"""Expressions as SQL: one expression per type that the value can have, given the types of fields.

No text of an expression becomes SQL: fields are columns named here, and literals are encoded.
"""
