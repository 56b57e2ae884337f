"""Expressions over the fields of one event: their language, and what it allows.

    IF(GTE($duration_ms, 500), "slow", "fast")      $bytes / 1024 > 10 AND !EXISTS($error)

`parser` makes nodes of a text, `check` finds faults with their place in it, `sql` compiles nodes to
one SQL expression per type that they can have. The first two import only the standard library and
`common`, so that commands start fast.
"""
