"""How every request of the query API begins and fails: keys, dataset names, pages, problems."""
