"""Times as people and programs write them, read to the nanosecond: one reader for API and files.

`api` has the forms that the events API takes. `reader.TimeReader` reads those and everything else
that files hold; the command line uses it for files and for `SINCE` and `UNTIL`.
"""
