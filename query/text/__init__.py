"""The text form of a query, for people: read into the API's query specification.

    [SELECT] calculation [AS name], ... | *  [FROM dataset]
    [WHERE condition AND|OR|NOT ...]  [GROUP BY name, ...]
    [HAVING calculation op number AND ...]  [ORDER BY calculation|name [ASC|DESC], ...]
    [LIMIT n]  [EVERY duration]
    [LAST duration | SINCE time [UNTIL time] | BETWEEN time AND time]

Keywords are of any case and clauses of any order. What is not understood is refused with a mark
under the word, and told how to be said. Only the standard library and `common` are imported:
commands start fast.
"""
