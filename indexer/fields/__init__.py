"""What this indexer knows of the values of fields: from summaries, small segments and live rows."""
