"""What every role's code speaks of: records, reroutes, positions, names and times."""
