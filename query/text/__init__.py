"""The text form of a query, for people: read into the API's query specification.

    [SELECT] calculation [AS name], formula [AS name], ... | *  [FROM dataset]
    [WHERE condition AND|OR|NOT ...]  [GROUP BY name, ...]
    [HAVING calculation op number AND ...]  [ORDER BY calculation|name [ASC|DESC], ...]
    [LIMIT n]  [UNWEIGHTED]  [EVERY duration]
    [LAST duration | SINCE time [UNTIL time] | BETWEEN time AND time]  [COMPARE duration]

Keywords may have any case and clauses any order. A text that cannot be parsed is refused with a
mark under the word and a hint for a correction. Only the standard library and `common` are
imported, so that commands start fast.
"""
