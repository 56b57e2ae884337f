"""`bellwether shell`: questions, one after another.

`statements` splits what is typed, `session` carries it out, `completion` says what may come next,
`known` asks the server for names and values, `terminal` is the only file that knows a terminal.
"""
