"""The data model of all roles: records, reroutes, positions, names and times."""
