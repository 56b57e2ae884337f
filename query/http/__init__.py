"""Common parts of the query API's requests: keys, dataset names, pages, problem documents."""
